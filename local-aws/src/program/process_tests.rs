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
fn the_environment_is_whole_and_nothing_else_is_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let odd =
        ["-S", "-i", "--help", "-u", "b.c", "OPTIND", "PS4", "IFS", "status", "PATH", "BASH_FUNC_printf%%", "0", "é"];
    let environment: Vec<_> = odd.iter().map(|name| ((*name).to_owned(), "() { 2 = 3; }".to_owned())).collect();
    let mut wanted: Vec<_> = environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let program = Program { path: "/usr/bin/env".into(), arguments: Vec::new(), environment, ..shell(dir.path(), "") };
    let mut process = Process::start(&dir.path().join("t"), &program).unwrap();
    assert_eq!(wait(&mut process), Some(0), "{}", text(&process));
    let output = text(&process);
    let mut lines: Vec<&str> = output.lines().collect();
    lines.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(lines, wanted);
}

#[test]
fn paths_and_arguments_are_taken_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let directory = dir.path().join("-u a=b");
    fs::create_dir(&directory).unwrap();
    let path = directory.join("A=1");
    std::os::unix::fs::symlink("/bin/echo", &path).unwrap();
    let arguments = ["-S", "--", "X=1", "$0", "a b"].map(str::to_owned).to_vec();
    let program = Program { path, arguments, environment: Vec::new(), directory };
    let mut process = Process::start(&dir.path().join("t"), &program).unwrap();
    assert_eq!(wait(&mut process), Some(0), "{}", text(&process));
    assert_eq!(text(&process), "-S -- X=1 $0 a b\n");
}

#[test]
fn a_held_program_waits_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let process = Process::start(&dir.path().join("t"), &shell(dir.path(), "while :; do echo x; done")).unwrap();
    wait_for_output(&process, "x\n");
    process.hold();
    // It may be in the middle of a write.
    let mut before = process.written().unwrap();
    for _ in 0..1000 {
        std::thread::sleep(Duration::from_millis(5));
        let now = process.written().unwrap();
        if now == before {
            break;
        }
        before = now;
    }
    assert_eq!(process.written().unwrap(), before);
    process.free_up_to(before);
    process.resume();
    for _ in 0..1000 {
        if process.written().unwrap() > before {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(process.output(before, 2).unwrap(), b"x\n");
    Process { init: None, ..process }.kill_group();
}

#[test]
fn an_emptied_output_begins_anew() {
    let dir = tempfile::tempdir().unwrap();
    let script = "echo old; while ! test -e go; do sleep 0.01; done; echo new";
    let process = Process::start(&dir.path().join("t"), &shell(dir.path(), script)).unwrap();
    wait_for_output(&process, "old\n");
    process.empty().unwrap();
    fs::write(dir.path().join("go"), "").unwrap();
    wait_for_output(&process, "new\n");
    assert_eq!(text(&process), "new\n");
    wait_for_nothing(&process);
}

#[test]
fn a_signal_reaches_the_program_and_shows_in_the_exit_code() {
    // As the endpoint has one: a test that is started by `nohup ... &` ignores SIGINT, and without a handler the program
    // would, too.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let _handler =
        runtime.block_on(async { tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt()).unwrap() });
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
fn a_tied_process_ends_with_who_holds_it() {
    let dir = tempfile::tempdir().unwrap();
    let directory = dir.path().join("t");
    let program = shell(dir.path(), "echo up; sleep 60 & exec sleep 60");
    let mut process = Process::start_tied(&directory, &program).unwrap();
    wait_for_output(&process, "up");
    assert!(Process::start_tied(&directory, &program).is_err(), "a directory is used once");
    let other = Process::adopt(&directory).unwrap();
    // A program that is held can do nothing; its guard can.
    assert!(process.signal(Signal::STOP));
    let mut init = process.init.take().unwrap();
    drop(init.stdin().take());
    wait_for_nothing(&other);
    init.wait().unwrap();
}

#[test]
fn stop_signals_have_names_and_numbers() {
    assert_eq!(signal_named("SIGINT"), Some(Signal::INT));
    assert_eq!(signal_named("quit"), Some(Signal::QUIT));
    assert_eq!(signal_named("15"), Some(Signal::TERM));
    assert_eq!(signal_named("SIGNOPE"), None);
}
