//! The command `aws`: half a second of a processor goes into reading its modules, so one process has read them for all tests.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use crate::harness::judge;

/// Its file.
pub(super) fn aws() -> &'static Path {
    &SERVER.0
}

/// With the process, which ends when nobody holds its stdin any more: with the tests, however they end.
static SERVER: LazyLock<(PathBuf, Child)> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap().keep();
    let mut server = Command::new(judge("python"));
    server.args(["-c", include_str!("server.py")]).arg(&directory).arg(include_str!("client.py"));
    let mut server = server.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    (directory.join("aws"), server)
});
