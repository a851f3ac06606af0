use std::time::Duration;

use super::*;

fn shell(directory: &Path, script: &str) -> Program {
    Program {
        path: "/bin/sh".into(),
        arguments: vec!["-c".into(), script.into()],
        environment: vec![("A".into(), "1".into()), ("b.c".into(), "2 3".into())],
        directory: directory.to_owned(),
    }
}

fn wait(process: &mut Process) -> Option<i32> {
    for _ in 0..1000 {
        if let Some(exit) = process.exit() {
            return exit.code;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("no end: {process:?}");
}

fn text(process: &Process) -> String {
    String::from_utf8(process.output(0, 10_000).unwrap()).unwrap()
}

fn wait_for_output(process: &Process, wanted: &str) {
    for _ in 0..1000 {
        if text(process).contains(wanted) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("no {wanted}: {}", text(process));
}

fn wait_for_nothing(process: &Process) {
    for _ in 0..1000 {
        if !process.is_alive() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("something is left: {process:?}");
}

#[test]
fn exit_code_and_output_are_those_of_the_program() {
    let dir = tempfile::tempdir().unwrap();
    let program = shell(dir.path(), "echo out; echo err >&2; exit 7");
    let mut process = Process::start(&dir.path().join("t"), &program).unwrap();
    assert_eq!(wait(&mut process), Some(7));
    assert_eq!(text(&process), "out\nerr\n");
    process.kill_group();
    assert!(!process.is_alive());
}

#[test]
fn the_environment_is_whole_and_nothing_of_ours_is_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let program = Program { path: "/usr/bin/env".into(), arguments: Vec::new(), ..shell(dir.path(), "") };
    let mut process = Process::start(&dir.path().join("t"), &program).unwrap();
    assert_eq!(wait(&mut process), Some(0));
    let output = text(&process);
    // What a shell adds by itself.
    let own = |line: &&str| !["PWD=", "OLDPWD=", "SHLVL=", "_="].iter().any(|name| line.starts_with(name));
    let mut lines: Vec<&str> = output.lines().filter(own).collect();
    lines.sort_unstable();
    assert_eq!(lines, ["A=1", "b.c=2 3"]);
}

#[test]
fn a_signal_reaches_the_program_and_shows_in_the_exit_code() {
    for (script, signal, code) in [
        ("trap 'exit 143' TERM; echo up; while :; do sleep 0.01; done", Signal::TERM, 143),
        ("echo up; exec sleep 60", Signal::INT, 130),
        ("echo up; exec sleep 60", Signal::KILL, 137),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut process = Process::start(&dir.path().join("t"), &shell(dir.path(), script)).unwrap();
        wait_for_output(&process, "up\n");
        assert!(process.signal(signal));
        assert_eq!(wait(&mut process), Some(code));
        // Nothing of the shell's own, as "Killed".
        assert_eq!(text(&process), "up\n");
        process.kill_group();
    }
}

#[test]
fn it_is_found_again_and_never_started_twice() {
    let dir = tempfile::tempdir().unwrap();
    let directory = dir.path().join("t");
    assert!(!Process::was_started(&directory));
    let program = shell(dir.path(), "echo once; sleep 0.2; exit 3");
    let first = Process::start(&directory, &program).unwrap();
    assert!(Process::was_started(&directory));
    wait_for_output(&first, "once");
    let mut second = Process::start(&directory, &program).unwrap();
    assert_eq!(wait(&mut second), Some(3));
    drop(first);
    let mut third = Process::start(&directory, &program).unwrap();
    assert_eq!(wait(&mut third), Some(3));
    assert_eq!(text(&third), "once\n");
}

#[test]
fn the_death_of_init_is_the_death_of_all() {
    for is_adopted in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let directory = dir.path().join("t");
        let mut process = Process::start(&directory, &shell(dir.path(), "echo up; exec sleep 60")).unwrap();
        wait_for_output(&process, "up");
        let init = read_number(&directory, "init").and_then(pid).unwrap();
        let mut child = None;
        if is_adopted {
            child = process.init.take();
        }
        kill_process(init, Signal::KILL).unwrap();
        // In a later endpoint init is no child of ours, and no zombie.
        child.map(|mut child| child.wait().unwrap());
        assert_eq!(wait(&mut process), Some(137));
        assert!(process.is_alive());
        process.kill_group();
        wait_for_nothing(&process);
    }
}

#[test]
fn stragglers_are_killed_with_the_group() {
    let dir = tempfile::tempdir().unwrap();
    let program = shell(dir.path(), "sleep 61 >/dev/null 2>&1 & exit 0");
    let mut process = Process::start(&dir.path().join("t"), &program).unwrap();
    assert_eq!(wait(&mut process), Some(0));
    assert!(process.is_alive());
    process.kill_group();
    wait_for_nothing(&process);
}

#[test]
fn stop_signals_have_names_and_numbers() {
    assert_eq!(signal_named("SIGINT"), Some(Signal::INT));
    assert_eq!(signal_named("quit"), Some(Signal::QUIT));
    assert_eq!(signal_named("15"), Some(Signal::TERM));
    assert_eq!(signal_named("SIGNOPE"), None);
}
