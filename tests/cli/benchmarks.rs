//! `docs/benchmarks.md` says what `make bench-peers` has measured, of the rows and the versions that it has now.

use std::path::Path;
use std::process::Command;

#[test]
fn the_page_of_benchmarks_is_what_was_measured() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/bench-peers/page.py");
    let mut python = Command::new("python3");
    let run = python.arg("-B").arg(page).arg("--check").output().expect("python3 runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}
