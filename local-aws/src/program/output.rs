//! A program's output: from its file to its log stream, every line once.
//!
//! A program may write far more than anybody reads. So a chunk is taken in at a time, by one program at a time, in at most
//! half of the time; a program that is too far ahead of its log waits, as one whose pipe is full; and of what a program
//! writes [`MAX_KEPT`] bytes are kept.

use std::sync::Arc;
use std::time::Instant;

use chrono::Utc;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::process::Process;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::logs;
use crate::store::{Record, Tx};

/// Largest event of CloudWatch Logs, less the 26 bytes that it counts for each; the awslogs driver splits there, too.
const MAX_EVENT: usize = 256 * 1024 - 26;

/// As much as is read at once; more than one event, so that there is always something to do with it.
const CHUNK: usize = 512 * 1024;

/// How much of a program's output is kept.
pub(crate) const MAX_KEPT: u64 = 256 * 1024 * 1024;

/// How much a program that is over may be ahead of its log: somebody waits for its end.
const MAX_REST: u64 = 4 * 1024 * 1024;

/// How much of a program's output is in its log. The names in the state are of the time when only tasks were programs.
#[derive(Serialize, Deserialize)]
struct Ingested {
    #[serde(rename = "task")]
    program: String,
    bytes: u64,
}

impl Record for Ingested {
    const KIND: &'static str = "ecs.ingested";
    fn id(&self) -> String {
        self.program.clone()
    }
}

/// Where the output of a program goes.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    /// The program's name in the state, e.g. the id of its task.
    pub(crate) program: String,
    /// Log group and stream; without them the output is dropped.
    pub(crate) stream: Option<(String, String)>,
}

/// The turn to take in a chunk, and when it may be taken.
#[derive(Default)]
struct Turn(Mutex<Option<Instant>>);

/// A program's output, and how far it is in the log.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// In bytes, as far as is known without looking it up.
    reached: Option<u64>,
}

/// Forgets how much of the output has been taken in: there will be no more.
pub(crate) fn forget(tx: &Tx<'_>, program: &str) -> Result<(), ApiError> {
    tx.delete::<Ingested>(program)?;
    Ok(())
}

impl Output {
    /// Where in its file the output begins that is not in the log yet, in bytes.
    pub(crate) fn position(&mut self, endpoint: &Endpoint, to: &Destination) -> Result<u64, ApiError> {
        // What is not kept is emptied out.
        self.reached(endpoint, to).map(|reached| if reached < MAX_KEPT { reached } else { 0 })
    }

    /// How much of the output is in the log, in bytes.
    fn reached(&mut self, endpoint: &Endpoint, to: &Destination) -> Result<u64, ApiError> {
        let reached = match self.reached {
            Some(reached) => reached,
            None => endpoint.store.read(|tx| tx.get::<Ingested>(&to.program))?.map_or(0, |ingested| ingested.bytes),
        };
        self.reached = Some(reached);
        Ok(reached)
    }

    /// How far the program is ahead of its log, in bytes.
    fn ahead(&mut self, endpoint: &Endpoint, to: &Destination, process: &Process) -> Result<u64, ApiError> {
        Ok(written(to, process)?.saturating_sub(self.position(endpoint, to)?))
    }

    /// Leaves out what a program that is over has written too fast for its log, but for the last lines; the log says so.
    pub(crate) fn shorten(&mut self, endpoint: &Endpoint, to: &Destination, process: &Process) -> Result<(), ApiError> {
        let ahead = self.ahead(endpoint, to, process)?;
        let from = self.reached.unwrap_or_default();
        if ahead <= MAX_REST || from >= MAX_KEPT {
            return Ok(());
        }
        let near_end = from + ahead - CHUNK as u64;
        let bytes = process.output(near_end, CHUNK).map_err(|error| unreadable(to, &error))?;
        let line = bytes.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let reached = near_end + line as u64;
        let message = format!(
            "[fis-workshop] {} MiB that this task wrote faster than its log took them in are left out here.",
            (reached - from) / 1024 / 1024
        );
        self.reached = append(endpoint, to, from, reached, &[&message])?;
        Ok(())
    }

    /// Takes the next chunk of new output into the log; how many bytes are left. `is_last` says that no more will come,
    /// so that a line without an end is one.
    ///
    /// Events and the mark of how far they go are one transaction, so no kill makes a line be lost or be there twice.
    pub(crate) async fn ingest(
        &mut self,
        endpoint: &Arc<Endpoint>,
        to: &Destination,
        process: &Process,
        is_last: bool,
    ) -> Result<u64, ApiError> {
        let ahead = self.ahead(endpoint, to, process)?;
        let from = self.reached.unwrap_or_default();
        if from >= MAX_KEPT {
            // Its length counts against the limit that init has set, holes included.
            process.empty().map_err(|error| unreadable(to, &error))?;
            return Ok(0);
        }
        if ahead == 0 {
            return Ok(0);
        }
        let turn = endpoint.memory::<Turn>();
        let mut free_from = turn.0.lock().await;
        // The rest of a program that is over is not much, and somebody waits for it.
        if let Some(time) = free_from.filter(|_| !is_last) {
            tokio::time::sleep_until(time.into()).await;
        }
        let begin = Instant::now();
        let bytes = process.output(from, CHUNK).map_err(|error| unreadable(to, &error))?;
        let is_full = bytes.len() == CHUNK;
        let (state, destination) = (Arc::clone(endpoint), to.clone());
        // A full chunk is not the end, whatever the caller knows of the program.
        let kept = tokio::task::spawn_blocking(move || keep(&state, &destination, from, &bytes, is_last && !is_full));
        let kept = kept.await.map_err(|error| ApiError::internal(format!("Output was not taken in: {error}")))?;
        *free_from = is_full.then(|| Instant::now() + begin.elapsed());
        drop(free_from);
        // None: another endpoint of the same process took it; start from its mark.
        self.reached = kept?;
        let reached = self.reached.unwrap_or(from);
        process.free_up_to(reached);
        // Less than a chunk that has no whole line is no work to do.
        if is_full { self.ahead(endpoint, to, process) } else { Ok(0) }
    }
}

fn written(to: &Destination, process: &Process) -> Result<u64, ApiError> {
    process.written().map_err(|error| unreadable(to, &error))
}

fn unreadable(to: &Destination, error: &std::io::Error) -> ApiError {
    ApiError::internal(format!("The output of {} cannot be read: {error}", to.program))
}

/// Writes the events in `bytes`, which begin at `from`; how far that is. `None` when somebody else has.
fn keep(
    endpoint: &Endpoint,
    to: &Destination,
    from: u64,
    bytes: &[u8],
    is_last: bool,
) -> Result<Option<u64>, ApiError> {
    let text = whole(bytes, is_last);
    if text.is_empty() {
        return Ok(Some(from));
    }
    let reached = from + text.len() as u64;
    let text = String::from_utf8_lossy(text);
    let mut messages: Vec<&str> = text.split('\n').flat_map(events).collect();
    let limit = format!(
        "[fis-workshop] This task has written {} MiB; what it writes from here on is not kept.",
        MAX_KEPT / 1024 / 1024
    );
    if reached >= MAX_KEPT {
        messages.push(&limit);
    }
    append(endpoint, to, from, reached, &messages)
}

/// Writes events that take the log from `from` to `reached`; `reached`, or `None` when somebody else has written them.
fn append(
    endpoint: &Endpoint,
    to: &Destination,
    from: u64,
    reached: u64,
    messages: &[&str],
) -> Result<Option<u64>, ApiError> {
    let now = Utc::now();
    endpoint.store.write(|tx| {
        if tx.get::<Ingested>(&to.program)?.map_or(0, |ingested| ingested.bytes) != from {
            return Ok(None);
        }
        if let Some((group, stream)) = &to.stream {
            match logs::append(tx, group, stream, now, messages) {
                // Group or stream was deleted under the running program. The agent of ECS drops such lines, too.
                Err(error) if error.code == "ResourceNotFoundException" => {
                    tracing::warn!(%error, program = to.program, lines = messages.len(), "output dropped");
                }
                result => result?,
            }
        }
        tx.put(&Ingested { program: to.program.clone(), bytes: reached })?;
        Ok(Some(reached))
    })
}

/// The part of `bytes` that ends where an event may end.
fn whole(bytes: &[u8], is_last: bool) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    match bytes.len() {
        length if is_last => &bytes[..length],
        // Not held back for an end that may never come.
        length if end == 0 && length >= MAX_EVENT => &bytes[..boundary(bytes, MAX_EVENT)],
        _ => &bytes[..end],
    }
}

/// The events of a line. An empty one is none, as for the awslogs driver.
fn events(mut line: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let (event, rest) = line.split_at(line.floor_char_boundary(MAX_EVENT));
        line = rest;
        (!event.is_empty()).then_some(event)
    })
}

/// The last place up to `at` where no character of UTF-8 is cut.
fn boundary(bytes: &[u8], at: usize) -> usize {
    let is_continuation = |index: usize| bytes.get(index).is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000);
    (at.saturating_sub(3)..=at).rev().find(|index| !is_continuation(*index)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(bytes: &[u8], is_last: bool) -> (usize, Vec<String>) {
        let whole = whole(bytes, is_last);
        let text = String::from_utf8_lossy(whole);
        (whole.len(), text.split('\n').flat_map(events).map(str::to_owned).collect())
    }

    fn feed(bytes: &[u8], cuts: &[usize]) -> Vec<String> {
        let mut messages = Vec::new();
        let mut done = 0;
        for cut in cuts.iter().copied().chain([bytes.len()]) {
            let seen = (cut % (bytes.len() + 1)).max(done).max(if cut == bytes.len() { cut } else { 0 });
            let (length, more) = split(&bytes[done..seen], seen == bytes.len() && cut == bytes.len());
            messages.extend(more);
            done += length;
        }
        assert_eq!(done, bytes.len());
        messages
    }

    proptest! {
        #[test]
        fn it_does_not_matter_when_we_look(text in "[a-cü\n]{0,40}", cuts in prop::collection::vec(0usize..64, 0..8)) {
            let lines: Vec<String> = text.split('\n').filter(|line| !line.is_empty()).map(str::to_owned).collect();
            prop_assert_eq!(feed(text.as_bytes(), &cuts), lines);
        }
    }

    #[test]
    fn long_lines_are_split_between_characters() {
        let line = "é".repeat(MAX_EVENT);
        let (length, messages) = split(format!("{line}\nend").as_bytes(), false);
        assert_eq!(length, line.len() + 1);
        assert!(messages.iter().all(|message| message.len() <= MAX_EVENT && !message.contains('\u{fffd}')));
        assert_eq!(messages.concat(), line);
        // Without an end one event after the other is taken.
        let (length, messages) = split(line.as_bytes(), false);
        assert!((MAX_EVENT - 3..=MAX_EVENT).contains(&length));
        assert_eq!(messages, [&line[..length]]);
    }

    #[test]
    fn what_is_no_text_is_marked_and_kept() {
        assert_eq!(split(b"a\xffb\n", false), (4, vec!["a\u{fffd}b".to_owned()]));
        assert_eq!(split(b"a\n\nb", false), (3, vec!["a".to_owned()]));
    }
}
