//! States that cannot be used: one error that says what to do, and nothing overwritten.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use super::{endpoint_pid, kill_endpoint};
use crate::harness::{Run, Sandbox, signal, until};

/// Commands that need the endpoint.
const COMMANDS: [&[&str]; 4] = [&["up"], &["status"], &["local", "start"], &["local", "env"]];

fn data(sandbox: &Sandbox) -> PathBuf {
    sandbox.state_dir().join("local")
}

/// With an environment, and the endpoint ended.
fn set_up() -> Sandbox {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    sandbox.ok(&["local", "stop"]);
    sandbox
}

/// One error that names `path` and has a hint, or says in its text what to do.
fn refused(run: &Run, path: &str, advice: &str) {
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{run:?}");
    assert_eq!(run.stderr.matches("error: ").count(), 1, "{run:?}");
    assert!(run.stderr.contains(path) && run.stderr.contains(advice), "{run:?}");
}

/// What is under `directory`, with its content.
fn snapshot(directory: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let mut found: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().is_some_and(|name| name != "local.log"))
        .flat_map(|path| if path.is_dir() { snapshot(&path) } else { vec![(path.clone(), std::fs::read(&path).ok())] })
        .collect();
    found.sort();
    found
}

/// Every command is refused, and each file stays as it was.
fn all_refused(sandbox: &Sandbox, path: &str, advice: &str) {
    let before = snapshot(&sandbox.state_dir());
    for command in COMMANDS {
        refused(&sandbox.run(command), path, advice);
    }
    let content = |found: Vec<(PathBuf, Option<Vec<u8>>)>| {
        found.into_iter().filter(|(path, _)| !path.display().to_string().contains(".lock")).collect::<Vec<_>>()
    };
    let (before, after) = (content(before), content(snapshot(&sandbox.state_dir())));
    let is_record = |path: &Path| path.ends_with("local.json");
    for (path, bytes) in before.iter().filter(|(path, _)| !is_record(path)) {
        assert!(after.iter().any(|(other, now)| other == path && now == bytes), "{} changed", path.display());
    }
}

#[test]
fn a_state_directory_that_cannot_be() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path().join("file"), "mine").unwrap();
    for directory in ["file", "file/state", "/proc/state", "/dev/null/state"] {
        for command in COMMANDS {
            // `status` needs no state to know that nothing is there.
            if command == ["status"] {
                continue;
            }
            let run = sandbox.run(&[&["--state-dir", directory], command].concat());
            refused(&run, directory, "with `--state-dir` or `FIS_WORKSHOP_STATE_DIR`.");
        }
    }
    assert_eq!(std::fs::read_to_string(sandbox.path().join("file")).unwrap(), "mine");
}

#[test]
fn something_else_in_the_place_of_a_file() {
    for (name, advice) in [
        ("local", "--state-dir"),
        ("local.log", "--state-dir"),
        ("local.lock", "--state-dir"),
        ("local/state.db", "local reset"),
        ("local/dynamodb.db", "local reset"),
        ("local/lock", "check"),
    ] {
        let sandbox = Sandbox::new();
        let path = sandbox.state_dir().join(name);
        if name == "local" {
            std::fs::create_dir(sandbox.state_dir()).unwrap();
            std::fs::write(&path, "mine").unwrap();
        } else {
            std::fs::create_dir_all(&path).unwrap();
        }
        let run = sandbox.run(&["local", "start", "--port", "0"]);
        let named = if name == "local" { "state directory" } else { name };
        refused(&run, named, advice);
        assert!(path.exists(), "{name}");
    }
}

#[test]
fn a_damaged_file() {
    for (name, advice) in
        [("identity.json", "local reset"), ("state.db", "local reset"), ("dynamodb.db", "local reset")]
    {
        let sandbox = set_up();
        for companion in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(data(&sandbox).join(format!("{name}{companion}")));
        }
        std::fs::write(data(&sandbox).join(name), "no such thing, and long enough to be taken for one ".repeat(9))
            .unwrap();
        let shown = if name == "identity.json" { name } else { "left as it is" };
        all_refused(&sandbox, if name == "dynamodb.db" { "DynamoDB" } else { shown }, advice);
        sandbox.ok(&["local", "reset"]);
        assert_eq!(sandbox.json(&["up"])["changed"], true);
    }
}

#[test]
fn a_damaged_record_of_the_endpoint_is_made_anew() {
    let sandbox = set_up();
    for damaged in ["", "{", "[]", "\u{0}\u{0}\u{0}", r#"{"pid":1,"port":70000}"#] {
        std::fs::write(sandbox.state_dir().join("local.json"), damaged).unwrap();
        assert_eq!(sandbox.json(&["local", "status"])["running"], false);
        let started = sandbox.run(&["local", "start", "--port", "0"]);
        let warning = "local.json in the state directory was damaged and is made anew";
        assert!(started.stderr.contains(warning), "{started:?}");
        // Nothing that counts was in it.
        assert_eq!(sandbox.json(&["up"])["changed"], false, "{damaged:?}");
        sandbox.ok(&["local", "stop"]);
    }
}

#[test]
fn a_record_that_is_damaged_while_the_endpoint_runs() {
    let sandbox = set_up();
    sandbox.ok(&["local", "start", "--port", "0"]);
    let pid = endpoint_pid(&sandbox).to_string();
    let path = sandbox.state_dir().join("local.json");
    std::fs::write(&path, "{").unwrap();
    for command in [&["up"][..], &["local", "stop"], &["local", "status"]] {
        refused(&sandbox.run(command), "local.json", "lsof ");
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "{");
    signal("TERM", &pid);
    let run = || sandbox.run(&["local", "status"]);
    until("the endpoint ends", || run().code == 0);
    assert_eq!(sandbox.json(&["up"])["changed"], false);
}

#[test]
fn another_program_on_the_port_of_the_endpoint() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    let port = sandbox.json(&["local", "status"])["port"].as_u64().unwrap();
    kill_endpoint(&sandbox);
    let foreign = TcpListener::bind(("127.0.0.1", u16::try_from(port).unwrap())).unwrap();
    let run = sandbox.run(&["local", "start"]);
    refused(&run, &format!("Port {port} on 127.0.0.1 cannot be used."), "local start --port 0");
    // A command that only needs some endpoint takes another port.
    let up = sandbox.run(&["up", "--output", "json"]);
    assert!(up.code == 0 && up.stdout.contains(r#""changed":false"#), "{up:?}");
    assert_ne!(sandbox.json(&["local", "status"])["port"], port);
    // It was not even spoken to.
    foreign.set_nonblocking(true).unwrap();
    assert!(foreign.accept().is_err());
}

/// The sandbox's command with files limited to `blocks` of 512 bytes, as an error and not as a signal.
fn limited(sandbox: &Sandbox, blocks: u32, args: &[&str]) -> Run {
    Run::of(sandbox.command_after(&format!("trap '' XFSZ; ulimit -f {blocks}"), args).output().unwrap())
}

#[test]
fn no_room_for_the_images() {
    let sandbox = Sandbox::with_endpoint();
    // A file where the endpoint wants to make the directory: it has room for the state, and none for images.
    let images = data(&sandbox).join("images");
    std::fs::write(&images, "in the way").unwrap();
    refused(&sandbox.run(&["up"]), "images cannot be written", "check the space on the disk");
    std::fs::remove_file(&images).unwrap();
    sandbox.ok(&["up"]);
    assert_eq!(sandbox.ok(&["run", "improved", "--item-seconds", "0"]).lines().count(), 12);
    sandbox.ok(&["down"]);
}

#[test]
fn no_room_for_the_state() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    sandbox.ok(&["local", "stop"]);
    // The endpoint inherits the limit: what it has is more already.
    let run = limited(&sandbox, 16, &["run", "original", "--detach"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{run:?}");
    assert!(run.stderr.starts_with("error: The local endpoint could not use its state: "), "{run:?}");
    assert!(run.stderr.contains("check the disk (full? unplugged?) and repeat the command"), "{run:?}");
    let _ = sandbox.run(&["local", "stop"]);
    assert_eq!(sandbox.json(&["up"])["changed"], false);
    assert_eq!(sandbox.ok(&["run", "improved", "--item-seconds", "0"]).lines().count(), 12);
}

/// The state can take the beginning of a stack and not its end. Whoever follows it is told, and it goes on when there is room.
#[test]
fn no_room_in_the_middle_of_a_stack() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    sandbox.ok(&["local", "stop"]);
    let run = limited(&sandbox, 600, &["up", "--env", "second"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{run:?}");
    // Whichever request it is that finds no room.
    assert!(run.stderr.contains("FisStopTaskStack-second failed."), "{run:?}");
    assert!(run.stderr.contains("check the disk (full? unplugged?) and repeat the command"), "{run:?}");
    let _ = sandbox.run(&["local", "stop"]);
    sandbox.ok(&["up", "--env", "second"]);
    assert_eq!(sandbox.ok(&["run", "improved", "--env", "second", "--item-seconds", "0"]).lines().count(), 12);
    sandbox.ok(&["down", "--all"]);
}
