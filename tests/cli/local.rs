//! The endpoint as a process: start, stop, status, env, reset.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use chrono::DateTime;
use serde_json::json;

use crate::boto::Boto;
use crate::harness::{Sandbox, found, signal, until};

fn mode(path: &std::path::Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A zombie, which the machine's init has not reaped yet, does not live.
fn is_alive(pid: &serde_json::Value) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z') && !rest.starts_with('X'))
}

/// The lock on the state is gone a moment before the process is.
fn wait_for_the_end(pid: &serde_json::Value) {
    until("the process ends", || !is_alive(pid));
}

#[test]
fn a_second_start_finds_the_first_one() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.json(&["local", "status"])["running"], false);
    let first = sandbox.json(&["local", "start", "--port", "0"]);
    let second = sandbox.json(&["local", "start"]);
    assert_eq!(first["running"], true);
    assert_eq!(first, second);
    assert_eq!(sandbox.json(&["local", "stop"])["pid"], first["pid"]);
    assert_eq!(sandbox.json(&["local", "status"])["running"], false);
    assert_eq!(sandbox.json(&["local", "stop"])["stopped"], false);
}

#[test]
fn the_endpoint_comes_back_on_the_same_port() {
    let sandbox = Sandbox::new();
    let first = sandbox.json(&["local", "start", "--port", "0"]);
    sandbox.ok(&["local", "stop"]);
    assert_eq!(sandbox.json(&["local", "start"])["port"], first["port"]);
}

#[test]
fn starts_at_the_same_time_lead_to_one_endpoint() {
    let sandbox = Sandbox::new();
    let start = || sandbox.command(&["local", "start", "--port", "0", "--output", "json"]);
    let children: Vec<_> = (0..4).map(|_| start().stdout(std::process::Stdio::piped()).spawn().unwrap()).collect();
    let outputs: Vec<_> = children.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    assert!(outputs.iter().all(|output| output.status.success()), "{outputs:?}");
    assert!(outputs.iter().all(|output| output.stdout == outputs[0].stdout), "{outputs:?}");
}

#[test]
fn a_taken_port_is_named_with_what_to_do() {
    let sandbox = Sandbox::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let run = sandbox.run(&["local", "start", "--port", &port]);
    assert_eq!(run.code, 1);
    insta::assert_snapshot!(run.transcript(sandbox.path()).replace(&port, "[PORT]"));
    assert_eq!(sandbox.json(&["local", "status"])["running"], false);
}

#[test]
fn a_killed_endpoint_is_not_running_and_starts_again() {
    let sandbox = Sandbox::with_endpoint();
    let first = sandbox.json(&["local", "status"]);
    signal("KILL", &first["pid"]);
    // The signal takes a moment; a start before that rightly finds the endpoint running.
    let second = found("another endpoint starts", || {
        let second = sandbox.json(&["local", "start"]);
        (second["pid"] != first["pid"]).then_some(second)
    });
    assert_eq!(
        (second["port"].clone(), second["account_id"].clone()),
        (first["port"].clone(), first["account_id"].clone())
    );
}

#[test]
fn the_secret_is_the_owners_alone() {
    let sandbox = Sandbox::with_endpoint();
    let data = sandbox.state_dir().join("local");
    assert_eq!(mode(&sandbox.state_dir()), 0o700);
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("identity.json")), 0o600);
    for file in ["local.json", "local.log", "local.lock"] {
        assert_eq!(mode(&sandbox.state_dir().join(file)), 0o600, "{file}");
    }
}

#[test]
fn env_prints_what_a_shell_exports() {
    let sandbox = Sandbox::with_endpoint();
    let lines = sandbox.ok(&["local", "env"]);
    let (lines, comment) = lines.trim_end().rsplit_once('\n').unwrap();
    assert_eq!(comment, r#"# Run: eval "$(fis-workshop local env)""#);
    let names: Vec<_> =
        lines.lines().map(|line| line.strip_prefix("export ").unwrap().split('=').next().unwrap()).collect();
    let expected = [
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "NO_PROXY",
        "no_proxy",
    ];
    assert_eq!(names, expected);
    assert_eq!(sandbox.json(&["local", "env"])["AWS_ENDPOINT_URL"], sandbox.json(&["local", "status"])["endpoint"]);
}

#[test]
fn env_can_be_taken_back_without_an_endpoint() {
    let sandbox = Sandbox::with_endpoint();
    let set = sandbox.ok(&["local", "env"]);
    sandbox.ok(&["local", "reset"]);
    let unset = sandbox.ok(&["local", "env", "--unset", "--target", "aws"]);
    assert!(!sandbox.state_dir().exists());
    let mut shell = Command::new("sh");
    shell.env_clear().args(["-c", r#"eval "$1"; eval "$2"; export -p"#, "sh", &set, &unset]);
    let left = String::from_utf8(shell.output().unwrap().stdout).unwrap();
    assert!(!left.contains("AWS_") && left.contains("NO_PROXY"), "{left}");
}

#[test]
fn another_port_than_that_of_the_endpoint_is_refused() {
    let sandbox = Sandbox::with_endpoint();
    let port = sandbox.json(&["local", "status"])["port"].as_u64().unwrap();
    let run = sandbox.run(&["local", "start", "--port", &(port - 1).to_string()]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains(&format!("already, on port {port}")) && run.stdout.is_empty(), "{run:?}");
    sandbox.ok(&["local", "start", "--port", &port.to_string()]);
}

#[test]
fn a_command_that_takes_another_port_says_why() {
    let sandbox = Sandbox::with_endpoint();
    let port = u16::try_from(sandbox.json(&["local", "status"])["port"].as_u64().unwrap()).unwrap();
    let pid = sandbox.json(&["local", "stop"])["pid"].clone();
    wait_for_the_end(&pid);
    let _taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let run = sandbox.run(&["status"]);
    assert!(run.stderr.contains(&format!("the port {port} is taken")), "{}", run.stderr);
}

#[test]
fn status_names_the_log() {
    let sandbox = Sandbox::new();
    assert!(sandbox.ok(&["local", "status"]).contains("state/local.log"));
}

#[test]
fn reset_asks_on_a_terminal_and_says_what_it_has_stopped() {
    let sandbox = Sandbox::with_endpoint();
    let no = sandbox.on_terminal(&["local", "reset"], "n\n");
    assert!(no.contains("[y/N]") && no.contains("Nothing was changed"), "{no}");
    assert_eq!(sandbox.json(&["local", "status"])["running"], true);
    let yes = sandbox.on_terminal(&["local", "reset"], "y\n");
    assert!(yes.contains("Stopped the local endpoint."), "{yes}");
    assert!(!sandbox.state_dir().exists());
}

#[test]
fn reset_deletes_its_own_files_only() {
    let sandbox = Sandbox::with_endpoint();
    let pid = sandbox.json(&["local", "status"])["pid"].clone();
    std::fs::write(sandbox.state_dir().join("mine.txt"), "kept").unwrap();
    sandbox.ok(&["local", "reset"]);
    wait_for_the_end(&pid);
    let left: Vec<_> =
        std::fs::read_dir(sandbox.state_dir()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["mine.txt"]);
    std::fs::remove_file(sandbox.state_dir().join("mine.txt")).unwrap();
    sandbox.ok(&["local", "start", "--port", "0"]);
    sandbox.ok(&["local", "reset"]);
    assert!(!sandbox.state_dir().exists());
}

#[test]
fn a_damaged_state_is_reported_left_alone_and_reset() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["local", "stop"]);
    let database = sandbox.state_dir().join("local/state.db");
    for file in ["state.db-wal", "state.db-shm"] {
        let _ = std::fs::remove_file(sandbox.state_dir().join("local").join(file));
    }
    std::fs::write(&database, "no database, but something long enough to look like one").unwrap();
    let run = sandbox.run(&["local", "start"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("fis-workshop local reset"), "{}", run.stderr);
    assert!(std::fs::read_to_string(&database).unwrap().starts_with("no database"));
    sandbox.ok(&["local", "reset"]);
    assert_eq!(sandbox.json(&["local", "start", "--port", "0"])["running"], true);
}

#[test]
fn another_region_than_the_endpoints_is_refused() {
    let sandbox = Sandbox::new();
    let started = sandbox.json(&["local", "start", "--port", "0", "--region", "eu-west-1"]);
    assert_eq!(started["region"], "eu-west-1");
    let run = sandbox.run(&["status", "--region", "us-east-1"]);
    assert_eq!(run.code, 2);
    insta::assert_snapshot!(run.transcript(sandbox.path()));
}

#[test]
fn latency_and_speed_outlive_the_endpoint_and_cannot_change_under_it() {
    let sandbox = Sandbox::new();
    let pace = |status: &serde_json::Value| (status["latency"].clone(), status["speed"].clone());
    let first = sandbox.json(&["local", "start", "--port", "0", "--latency", "aws", "--speed", "250"]);
    assert_eq!(pace(&first), ("aws".into(), 250.0.into()));
    let run = sandbox.run(&["local", "start", "--latency", "none"]);
    assert!(run.stderr.contains("another latency or speed") && run.stderr.contains("local stop"), "{}", run.stderr);
    signal("KILL", &first["pid"]);
    wait_for_the_end(&first["pid"]);
    // Started by a command that needs it.
    sandbox.ok(&["local", "env"]);
    let second = sandbox.json(&["local", "status"]);
    assert_ne!(second["pid"], first["pid"]);
    assert_eq!(pace(&second), pace(&first));
    sandbox.ok(&["local", "stop"]);
    assert_eq!(pace(&sandbox.json(&["local", "start"])), pace(&first));
    sandbox.ok(&["local", "stop"]);
    assert_eq!(pace(&sandbox.json(&["local", "start", "--latency", "none"])), ("none".into(), 1.0.into()));
}

/// What each resource type takes to be created, of the reference page: seconds; the shortest, where that depends.
fn times() -> BTreeMap<String, f64> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/local-aws.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, table) = page.split_once("| resource type | configured | created |").unwrap();
    let rows = table.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let name = cells.next()?.split('`').next()?;
        let created = cells.nth(1)?;
        Some((name.to_owned(), created.parse().ok()?))
    });
    // A general row comes after those that say when.
    rows.collect()
}

/// What two times of events in whole milliseconds may hide, in seconds at speed 60.
const ROUNDING: f64 = 0.12;

/// By the endpoint's own times: how busy this machine is only adds to them.
#[test]
fn at_speed_60_a_minute_takes_a_second_and_no_less() {
    let sandbox = Sandbox::new();
    sandbox.ok(&["local", "start", "--port", "0", "--latency", "aws", "--speed", "60"]);
    sandbox.ok(&["up"]);
    let mut boto = Boto::start(sandbox.variables());
    let events = json!({"StackName": "FisStackVpc"});
    let mut events = boto.call("cloudformation", "DescribeStackEvents", &events).unwrap()["StackEvents"].take();
    let (times, mut begun, mut checked) = (times(), BTreeMap::new(), BTreeSet::new());
    events.as_array_mut().unwrap().reverse();
    for event in events.as_array().unwrap() {
        let text = |member: &str| event[member].as_str().unwrap();
        let (name, kind) = (text("LogicalResourceId").to_owned(), text("ResourceType"));
        let at = DateTime::parse_from_str(text("Timestamp"), "%Y-%m-%d %H:%M:%S%.f%:z").unwrap();
        if text("ResourceStatus") == "CREATE_IN_PROGRESS" {
            begun.entry(name).or_insert(at);
        } else if let Some(seconds) = times.get(kind) {
            let took = (at - begun[&name]).as_seconds_f64() * 60.0;
            assert!(took + ROUNDING > *seconds, "{name} ({kind}) took {took} s of AWS's time, not {seconds} s");
            checked.insert(kind.to_owned());
        }
    }
    assert!(checked.contains("AWS::EC2::NatGateway") && checked.len() > 9, "{checked:?}");
    sandbox.ok(&["local", "reset"]);
}

#[test]
fn a_speed_below_one_or_without_latency_is_wrong_usage() {
    let sandbox = Sandbox::new();
    for arguments in
        [&["--latency", "aws", "--speed", "0.5"][..], &["--latency", "aws", "--speed", "fast"], &["--speed", "2"]]
    {
        let run = sandbox.run(&[&["local", "start"], arguments].concat());
        assert_eq!(run.code, 2, "{}", run.stderr);
        assert!(run.stderr.contains("--speed") || run.stderr.contains("--latency"), "{}", run.stderr);
    }
    assert_eq!(sandbox.json(&["local", "status"])["running"], false);
}

#[test]
fn the_lab_can_be_set_up_run_and_taken_down_with_latencies() {
    let sandbox = Sandbox::new();
    sandbox.ok(&["local", "start", "--port", "0", "--latency", "aws", "--speed", "100"]);
    sandbox.ok(&["up"]);
    sandbox.ok(&["run", "original", "--batch-size", "1", "--item-seconds", "0.01"]);
    sandbox.ok(&["down"]);
}
