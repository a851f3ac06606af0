//! The workers of the page docs/your-own-worker.md, as command lines.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::judge;

/// A file of docs/workers.
pub(crate) fn worker(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/workers").join(name).display().to_string()
}

/// The command line of the worker in Python.
pub(crate) fn python() -> [String; 2] {
    [judge("python").display().to_string(), worker("job.py")]
}

/// One of the usual mistakes, in Python.
pub(crate) fn mistake(name: &str) -> [String; 2] {
    [judge("python").display().to_string(), worker(&format!("mistakes/{name}.py"))]
}

/// The same command, as an option takes it.
pub(crate) fn line(command: &[String]) -> String {
    shlex::try_join(command.iter().map(String::as_str)).unwrap()
}

/// A program of this machine.
pub(crate) fn tool(name: &str) -> String {
    let path = std::env::var_os("PATH").unwrap();
    let found = std::env::split_paths(&path).map(|entry| entry.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("{name} is missing: run `make test`, which installs it")).display().to_string()
}

/// The SDK for JavaScript. This one runs on Node 18, too.
const SDK: &str = "@aws-sdk/client-dynamodb@3.958.0";

/// What judges whether everybody can read a page.
const AXE: &str = "axe-core@4.14.1";

/// That in JavaScript.
pub(crate) fn javascript() -> [String; 2] {
    [tool("node"), npm().join("job.mjs").display().to_string()]
}

/// A directory with the worker in JavaScript, what it imports, and axe-core, installed once.
pub(crate) fn npm() -> PathBuf {
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let lock = std::fs::File::create(tmp.join("npm.lock")).unwrap();
    lock.lock().unwrap();
    let directory = tmp.join("npm");
    if !directory.join("node_modules/axe-core").exists() {
        let half = tempfile::tempdir_in(tmp).unwrap();
        let options = ["--no-audit", "--no-fund", "--no-save", "--prefix"];
        let npm =
            Command::new(tool("npm")).arg("install").args(options).arg(half.path()).args([SDK, AXE]).output().unwrap();
        assert!(npm.status.success(), "{npm:?}");
        // That of an older version of these tests.
        let _ = std::fs::remove_dir_all(&directory);
        std::fs::rename(half.keep(), &directory).unwrap();
    }
    std::fs::copy(worker("job.mjs"), directory.join("job.mjs")).unwrap();
    directory
}

/// That in Rust, compiled as an example of the workers' crate.
pub(crate) fn rust() -> [String; 1] {
    let program = assert_cmd::cargo::cargo_bin!("fis-workshop").with_file_name("examples").join("job");
    let cargo = Command::new(env!("CARGO")).args(["build", "--workspace", "--locked", "--example", "job"]).output();
    let cargo = cargo.unwrap();
    assert!(cargo.status.success(), "{cargo:?}");
    [program.display().to_string()]
}
