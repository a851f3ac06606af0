//! Durable state: one SQLite file of JSON documents, plus the tables that need an order of their own.
//!
//! Every acknowledged change is in the transaction that made it true, so a `kill -9` at any moment loses
//! nothing that a client was told. WAL with `synchronous=NORMAL` keeps commits in the operating system's
//! hands: they survive the death of the process, which is what the rule asks for, without an fsync a commit.

use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use rustix::fs::OFlags;
use serde::{Serialize, de::DeserializeOwned};

use crate::error::ApiError;

/// Version of the layout below. [`UPGRADE`], [`NEW_IN_3`] and [`TEXTS_APART`] lead from those before; a file with any other is refused
/// and left alone.
const SCHEMA_VERSION: i64 = 4;

// A row of `log_event` holds events of one stream that have one time and came together: a program that writes a hundred
// thousand lines a second would make as many rows with two entries in indexes each.
const SCHEMA: &str = "
CREATE TABLE document (kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE TABLE log_event (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    log_group TEXT NOT NULL, log_stream TEXT NOT NULL,
    timestamp INTEGER NOT NULL, ingestion_time INTEGER NOT NULL, messages TEXT NOT NULL, bytes INTEGER NOT NULL);
CREATE INDEX log_event_by_stream ON log_event (log_group, log_stream, timestamp, sequence);
CREATE INDEX log_event_by_time ON log_event (log_group, timestamp, sequence);
CREATE TABLE stack_event (sequence INTEGER PRIMARY KEY AUTOINCREMENT, stack_id TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX stack_event_by_stack ON stack_event (stack_id, sequence);
";

/// From version 1, which had a row for each event.
const UPGRADE: &str = "
ALTER TABLE log_event RENAME COLUMN message TO messages;
ALTER TABLE log_event ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE log_event SET bytes = length(CAST(messages AS BLOB)) + 26, messages = json_array(messages);
";

/// What version 3 has more than version 2.
const NEW_IN_3: &[&str] = &[SQS_MESSAGES, INVOCATIONS, EVENTS];

// From version 3, in which the texts of templates were in the records of stacks and change sets, and the name of a change set
// only in itself.
const TEXTS_APART: &str = "
INSERT INTO document SELECT 'cloudformation.template', id || '#target',
    json_object('id', id || '#target', 'text', json_extract(body, '$.target.template_body'))
    FROM document WHERE kind IN ('cloudformation.stack', 'cloudformation.change_set');
INSERT INTO document SELECT 'cloudformation.template', id || '#stable',
    json_object('id', id || '#stable', 'text', json_extract(body, '$.stable.template_body'))
    FROM document WHERE kind = 'cloudformation.stack' AND json_type(body, '$.stable') = 'object';
INSERT INTO document SELECT 'cloudformation.change_set_name', json_extract(body, '$.stack_id') || '/' || json_extract(body, '$.name'),
    json_object('stack_id', json_extract(body, '$.stack_id'), 'name', json_extract(body, '$.name'), 'change_set_id', id)
    FROM document WHERE kind = 'cloudformation.change_set';
UPDATE document SET body = json_remove(json_set(body, '$.target.template_id', id || '#target'), '$.target.template_body')
    WHERE kind IN ('cloudformation.stack', 'cloudformation.change_set');
UPDATE document SET body = json_remove(json_set(body, '$.stable.template_id', id || '#stable'), '$.stable.template_body')
    WHERE kind = 'cloudformation.stack' AND json_type(body, '$.stable') = 'object';
";

// Times are milliseconds since 1970. A message is in the order of `visible_at` in its queue: when it was sent, or came back.
const SQS_MESSAGES: &str = "
CREATE TABLE IF NOT EXISTS sqs_message (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL, id TEXT NOT NULL,
    sent_at INTEGER NOT NULL, visible_at INTEGER NOT NULL,
    receives INTEGER NOT NULL DEFAULT 0, receives_elsewhere INTEGER NOT NULL DEFAULT 0,
    first_received_at INTEGER, received_at INTEGER, receipt TEXT,
    sender TEXT NOT NULL, source_arn TEXT, group_id TEXT,
    body TEXT NOT NULL, attributes TEXT NOT NULL, system_attributes TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS sqs_message_by_visibility ON sqs_message (queue, visible_at, sequence);
CREATE INDEX IF NOT EXISTS sqs_message_by_age ON sqs_message (queue, sent_at);
";

/// Asynchronous invocations of functions.
const INVOCATIONS: &str = "
CREATE TABLE IF NOT EXISTS invocation (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE, function TEXT NOT NULL, payload BLOB NOT NULL, client_context TEXT,
    accepted_at INTEGER NOT NULL, attempts INTEGER NOT NULL, throttles INTEGER NOT NULL, due INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS invocation_by_due ON invocation (due, sequence);
";

// Events that no rule has been asked about, and what is on its way to a target.
const EVENTS: &str = "
CREATE TABLE IF NOT EXISTS event_outbox (sequence INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS event_delivery (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    rule TEXT NOT NULL, target TEXT NOT NULL, event TEXT NOT NULL,
    accepted_at INTEGER NOT NULL, due_at INTEGER NOT NULL, attempts INTEGER NOT NULL, copies INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS event_delivery_by_time ON event_delivery (due_at, sequence);
";

/// A kind of document in the store.
pub(crate) trait Record: Serialize + DeserializeOwned {
    /// Name of the collection, e.g. `ecs.task`.
    const KIND: &'static str;
    /// Key within the collection; collections are listed in its order.
    fn id(&self) -> String;
}

/// The endpoint's state on disk.
pub(crate) struct Store {
    // A std Mutex: sections are short, synchronous and never held across an await.
    connection: Mutex<Connection>,
}

impl Store {
    /// Opens or creates the state in `path`.
    pub(crate) fn open(path: &Path) -> Result<Self, ApiError> {
        keep_private(path)?;
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        // A new file is made so; one that is there is not touched, for it may be damaged.
        if std::fs::metadata(path).is_ok_and(|file| file.len() == 0) {
            connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        }
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.set_prepared_statement_cache_capacity(64);
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version = tx.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))?;
        match version {
            0 => tx.execute_batch(SCHEMA)?,
            1 => tx.execute_batch(UPGRADE)?,
            2 | 3 | SCHEMA_VERSION => {}
            other => {
                return Err(ApiError::internal(format!(
                    "The state in {} was written by another version of this program (layout {other}, this one needs {SCHEMA_VERSION}); \
                     use that version, or run `fis-workshop local reset` to start afresh.",
                    path.display()
                )));
            }
        }
        if version < SCHEMA_VERSION {
            NEW_IN_3.iter().try_for_each(|tables| tx.execute_batch(tables))?;
            tx.execute_batch(TEXTS_APART)?;
            tx.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        }
        tx.commit()?;
        if version == 1 {
            connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")?;
        }
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// Gives some of the room of what was deleted back to the disk; whether there is more.
    pub(crate) fn shrink(&self) -> Result<bool, ApiError> {
        // A megabyte: a moment for whoever waits.
        const PAGES: i64 = 256;
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        connection.execute_batch(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
        Ok(connection.query_row("PRAGMA freelist_count", [], |row| row.get::<_, i64>(0))? > 0)
    }

    /// Runs `body` in a transaction that sees one state and changes nothing.
    pub(crate) fn read<T>(&self, body: impl FnOnce(&Tx<'_>) -> Result<T, ApiError>) -> Result<T, ApiError> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let tx = connection.transaction()?;
        body(&Tx(&tx))
    }

    /// Runs `body` in a transaction: all of its changes are kept when it returns `Ok`, none otherwise.
    pub(crate) fn write<T>(&self, body: impl FnOnce(&Tx<'_>) -> Result<T, ApiError>) -> Result<T, ApiError> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = body(&Tx(&tx))?;
        tx.commit()?;
        Ok(value)
    }
}

/// A link that somebody has put in the place of a file leads to a file elsewhere.
pub(crate) const NO_FOLLOW: i32 = OFlags::NOFOLLOW.bits().cast_signed();

/// Makes the file, readable by its owner only, unless it is there; SQLite gives its companions (`-wal`, `-shm`) the
/// mode of the database.
pub(crate) fn keep_private(path: &Path) -> Result<(), ApiError> {
    std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(NO_FOLLOW)
        .open(path)
        .map(|_| ())
        .map_err(|error| {
            ApiError::internal(format!(
                "{} cannot be opened ({error}) and was left as it is; check the owner and mode of the state directory, \
                 or run `fis-workshop local reset` to start afresh.",
                path.display()
            ))
        })
}

/// One transaction. `sql` gives the tables that are not documents.
pub(crate) struct Tx<'a>(&'a Connection);

impl Tx<'_> {
    /// The connection, for the tables that are not documents.
    pub(crate) fn sql(&self) -> &Connection {
        self.0
    }

    /// The document with this id, if there is one.
    pub(crate) fn get<R: Record>(&self, id: &str) -> Result<Option<R>, ApiError> {
        let body: Option<String> = self
            .0
            .prepare_cached("SELECT body FROM document WHERE kind = ? AND id = ?")?
            .query_row(params![R::KIND, id], |row| row.get(0))
            .optional()?;
        Ok(body.map(|body| serde_json::from_str(&body)).transpose()?)
    }

    /// Writes the document, replacing one with the same id.
    pub(crate) fn put<R: Record>(&self, record: &R) -> Result<(), ApiError> {
        self.0
            .prepare_cached("INSERT OR REPLACE INTO document (kind, id, body) VALUES (?, ?, ?)")?
            .execute(params![R::KIND, record.id(), serde_json::to_string(record)?])?;
        Ok(())
    }

    /// Deletes the document; says whether it was there.
    pub(crate) fn delete<R: Record>(&self, id: &str) -> Result<bool, ApiError> {
        let rows =
            self.0.prepare_cached("DELETE FROM document WHERE kind = ? AND id = ?")?.execute(params![R::KIND, id])?;
        Ok(rows > 0)
    }

    /// All documents of this kind in the order of their ids.
    pub(crate) fn list<R: Record>(&self) -> Result<Vec<R>, ApiError> {
        let mut statement = self.0.prepare_cached("SELECT body FROM document WHERE kind = ? ORDER BY id")?;
        let rows = statement.query_map(params![R::KIND], |row| row.get::<_, String>(0))?;
        rows.map(|body| Ok(serde_json::from_str(&body?)?)).collect()
    }

    /// Hands on all documents of this kind, one after the other: they may be more than should be in memory at once.
    pub(crate) fn each<R: Record>(&self, mut take: impl FnMut(R)) -> Result<(), ApiError> {
        let mut statement = self.0.prepare_cached("SELECT body FROM document WHERE kind = ? ORDER BY id")?;
        let mut rows = statement.query(params![R::KIND])?;
        while let Some(row) = rows.next()? {
            take(serde_json::from_str(&row.get::<_, String>(0)?)?);
        }
        Ok(())
    }

    /// All documents of this kind whose id starts with `prefix`, in the order of their ids. No character is behind the
    /// last one, so the others are not even looked at.
    pub(crate) fn list_prefix<R: Record>(&self, prefix: &str) -> Result<Vec<R>, ApiError> {
        let mut statement = self.0.prepare_cached(
            "SELECT body FROM document WHERE kind = ?1 AND id >= ?2 AND id < ?2 || char(1114111) ORDER BY id",
        )?;
        let rows = statement.query_map(params![R::KIND, prefix], |row| row.get::<_, String>(0))?;
        rows.map(|body| Ok(serde_json::from_str(&body?)?)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    struct Thing {
        name: String,
    }

    impl Record for Thing {
        const KIND: &'static str = "test.thing";
        fn id(&self) -> String {
            self.name.clone()
        }
    }

    #[test]
    fn an_error_in_the_body_undoes_every_change_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("state.db")).unwrap();
        store.write(|tx| tx.put(&Thing { name: "kept".into() })).unwrap();
        let refused = store.write(|tx| {
            tx.put(&Thing { name: "lost".into() })?;
            tx.delete::<Thing>("kept")?;
            Err::<(), _>(ApiError::new("No", "no"))
        });
        assert!(refused.is_err());
        let names = store.read(|tx| tx.list::<Thing>()).unwrap();
        assert_eq!(names, [Thing { name: "kept".into() }]);
    }

    #[test]
    fn what_has_the_prefix_is_listed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("state.db")).unwrap();
        let names = ["a", "a/", "a/b", "a/é", "a/\u{10ffff}", "a0", "b"];
        store.write(|tx| names.iter().try_for_each(|name| tx.put(&Thing { name: (*name).into() }))).unwrap();
        let listed = store.read(|tx| tx.list_prefix::<Thing>("a/")).unwrap();
        let listed: Vec<_> = listed.iter().map(|thing| thing.name.as_str()).collect();
        assert_eq!(listed, ["a/", "a/b", "a/é"]);
    }

    #[test]
    fn a_file_that_is_no_database_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        std::fs::write(&path, "something else that is long enough to look like a file").unwrap();
        let error = Store::open(&path).err().unwrap();
        assert!(error.message.contains("local reset"), "{error}");
        assert!(std::fs::read_to_string(&path).unwrap().starts_with("something else"));
    }

    #[test]
    fn a_file_of_the_version_before_is_taken_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE document (kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
                 CREATE TABLE log_event (sequence INTEGER PRIMARY KEY AUTOINCREMENT, log_group TEXT NOT NULL,
                     log_stream TEXT NOT NULL, timestamp INTEGER NOT NULL, ingestion_time INTEGER NOT NULL, message TEXT NOT NULL);
                 CREATE INDEX log_event_by_stream ON log_event (log_group, log_stream, timestamp, sequence);
                 CREATE INDEX log_event_by_time ON log_event (log_group, timestamp, sequence);
                 CREATE TABLE stack_event (sequence INTEGER PRIMARY KEY AUTOINCREMENT, stack_id TEXT NOT NULL, body TEXT NOT NULL);
                 CREATE INDEX stack_event_by_stack ON stack_event (stack_id, sequence);
                 INSERT INTO document VALUES ('test.thing', 'kept', '{\"name\": \"kept\"}');
                 INSERT INTO log_event VALUES (7, 'g', 's', 1, 2, 'a \"line\" é');
                 PRAGMA user_version = 1;",
            )
            .unwrap();
        drop(connection);
        for _ in 0..2 {
            let store = Store::open(&path).unwrap();
            assert_eq!(store.read(|tx| tx.list::<Thing>()).unwrap(), [Thing { name: "kept".into() }]);
            let row: (i64, String, i64) = store
                .read(|tx| {
                    let row = "SELECT sequence, messages, bytes FROM log_event";
                    Ok(tx.sql().query_row(row, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?)
                })
                .unwrap();
            assert_eq!(row, (7, r#"["a \"line\" é"]"#.to_owned(), 11 + 26));
        }
    }

    #[test]
    fn a_file_of_version_2_gets_what_it_has_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        let store = Store::open(&path).unwrap();
        store.write(|tx| tx.put(&Thing { name: "kept".into() })).unwrap();
        drop(store);
        let old = "DROP TABLE sqs_message; PRAGMA user_version = 2;";
        Connection::open(&path).unwrap().execute_batch(old).unwrap();
        for _ in 0..2 {
            let store = Store::open(&path).unwrap();
            assert_eq!(store.read(|tx| tx.list::<Thing>()).unwrap(), [Thing { name: "kept".into() }]);
            let count = "SELECT COUNT(*) FROM sqs_message";
            assert_eq!(store.read(|tx| Ok(tx.sql().query_row(count, [], |row| row.get(0))?)), Ok(0));
        }
    }

    #[test]
    fn in_a_file_of_version_3_the_texts_of_templates_are_taken_apart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        drop(Store::open(&path).unwrap());
        let old = r#"
            INSERT INTO document VALUES ('cloudformation.stack', 's1', '{"target": {"template_body": "new", "tags": {}}, "stable": {"template_body": "old"}}');
            INSERT INTO document VALUES ('cloudformation.stack', 's2', '{"target": {"template_body": ""}, "stable": null}');
            INSERT INTO document VALUES ('cloudformation.change_set', 'c1', '{"stack_id": "s1", "name": "n", "target": {"template_body": "newer"}}');
            PRAGMA user_version = 3;"#;
        Connection::open(&path).unwrap().execute_batch(old).unwrap();
        for _ in 0..2 {
            let store = Store::open(&path).unwrap();
            let all = "SELECT kind || ' ' || id || ' ' || body FROM document ORDER BY kind, id";
            let rows: Vec<String> = store
                .read(|tx| Ok(tx.sql().prepare(all)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?))
                .unwrap();
            assert_eq!(
                rows,
                [
                    r#"cloudformation.change_set c1 {"stack_id":"s1","name":"n","target":{"template_id":"c1#target"}}"#,
                    r#"cloudformation.change_set_name s1/n {"stack_id":"s1","name":"n","change_set_id":"c1"}"#,
                    r#"cloudformation.stack s1 {"target":{"tags":{},"template_id":"s1#target"},"stable":{"template_id":"s1#stable"}}"#,
                    r##"cloudformation.stack s2 {"target":{"template_id":"s2#target"},"stable":null}"##,
                    r##"cloudformation.template c1#target {"id":"c1#target","text":"newer"}"##,
                    r##"cloudformation.template s1#stable {"id":"s1#stable","text":"old"}"##,
                    r##"cloudformation.template s1#target {"id":"s1#target","text":"new"}"##,
                    r##"cloudformation.template s2#target {"id":"s2#target","text":""}"##,
                ]
            );
        }
    }

    #[test]
    fn what_is_deleted_gives_its_room_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        let store = Store::open(&path).unwrap();
        let name = |number: usize| format!("{number} {}", "x".repeat(10_000));
        store.write(|tx| (0..500).try_for_each(|number| tx.put(&Thing { name: name(number) }))).unwrap();
        store.write(|tx| (0..500).try_for_each(|number| tx.delete::<Thing>(&name(number)).map(drop))).unwrap();
        while store.shrink().unwrap() {}
        drop(store);
        assert!(path.metadata().unwrap().len() < 200_000, "{}", path.metadata().unwrap().len());
    }

    #[test]
    fn a_full_disk_is_named_and_loses_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        let store = Store::open(&path).unwrap();
        let thing = |number: usize| Thing { name: format!("{number:04} {}", "x".repeat(2000)) };
        store.write(|tx| tx.put(&thing(0))).unwrap();
        // SQLite's own limit ends in the same way as ENOSPC: SQLITE_FULL.
        store
            .read(|tx| {
                let pages: i64 = tx.sql().query_row("PRAGMA page_count", [], |row| row.get(0))?;
                Ok(tx.sql().query_row(&format!("PRAGMA max_page_count = {}", pages + 8), [], |_| Ok(()))?)
            })
            .unwrap();
        let mut written = 1;
        let error = loop {
            // Two in a transaction: the one that did fit goes with the other.
            let two = store.write(|tx| {
                tx.put(&thing(written))?;
                tx.put(&thing(written + 1))
            });
            match two {
                Ok(()) => written += 2,
                Err(error) => break error,
            }
            assert!(written < 100);
        };
        assert_eq!(error.status, 500);
        assert!(
            error.message.contains("is full; free some space and repeat the command. Nothing was changed."),
            "{error}"
        );
        let all = |store: &Store| store.read(|tx| tx.list::<Thing>()).unwrap();
        let expected: Vec<_> = (0..written).map(thing).collect();
        assert_eq!(all(&store), expected);
        drop(store);
        // With room again, as after a restart, it goes on.
        let store = Store::open(&path).unwrap();
        store.write(|tx| tx.put(&thing(written))).unwrap();
        assert_eq!(all(&store).len(), written + 1);
    }
}
