//! Workers of one's own.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Run, Running, Sandbox, judge};

/// A file of docs/workers.
fn worker(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/workers").join(name).display().to_string()
}

/// The command line of the one in Python.
fn python() -> [String; 2] {
    [judge("python").display().to_string(), worker("job.py")]
}

/// `try` with these options, and this command.
fn args<'a>(options: &[&'a str], command: &'a [String]) -> Vec<&'a str> {
    [&["try"], options, &["--"]].concat().into_iter().chain(command.iter().map(String::as_str)).collect()
}

/// A sandbox with an environment.
fn stage() -> Sandbox {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    sandbox
}

#[test]
fn a_python_program_is_a_task_that_the_experiment_stops_and_goes_on_where_it_stopped() {
    let sandbox = stage();
    let python = python();
    let first = Running::start(&sandbox, &args(&["--item-seconds", "0.5"], &python));
    first.wait_for("Successfully PUT item 0");
    sandbox.ok(&["interrupt", "--at-index", "1"]);
    let Run { code, stderr, .. } = first.end();
    assert_eq!(code, 143, "{stderr}");
    assert!(stderr.contains("Your worker runs as you, on this machine, with no container around it"), "{stderr}");
    assert!(stderr.contains("The experiment stopped it."), "{stderr}");
    let second = sandbox.run(&args(&["--item-seconds", "0"], &python));
    assert_eq!(second.code, 0, "{second:?}");
    assert!(second.stdout.starts_with("Continuing at "), "{second:?}");
    assert!(second.stderr.contains("the table has 10 of 10."), "{second:?}");
    let items = sandbox.json(&["items"]);
    assert_eq!((&items["missing"], &items["rewritten"]), (&json!([]), &json!([])), "{items}");
    let status = sandbox.json(&["status"]);
    assert_eq!(status["tasks"][0]["variant"], "own", "{status}");
    assert_eq!(status["problem"], Value::Null, "{status}");
}

#[test]
fn taking_down_leaves_no_task_definition_of_a_worker() {
    let sandbox = stage();
    let true_ = ["/bin/true".to_owned()];
    assert_eq!(sandbox.run(&args(&[], &true_)).code, 0);
    let down = sandbox.json(&["down"]);
    assert_eq!(down["survivors"], json!([]), "{down}");
    let mut boto = crate::boto::Boto::start(sandbox.variables());
    let families = boto.call("ecs", "ListTaskDefinitionFamilies", &json!({"status": "ACTIVE"})).unwrap();
    assert_eq!(families["families"], json!([]), "{families}");
}

/// The same command, as an option takes it.
fn line(command: &[String]) -> String {
    shlex::try_join(command.iter().map(String::as_str)).unwrap()
}

#[test]
fn the_lab_judges_a_worker_of_ones_own_as_the_improved_one() {
    let sandbox = Sandbox::with_endpoint();
    let lab = ["lab", "--item-seconds", "0.4", "--batch-size", "7", "--worker", &line(&python())];
    let report = sandbox.json(&lab);
    let own = &report["variants"][0];
    assert_eq!((&report["verdict"], &own["variant"], &own["items_redone"]), (&json!("pass"), &json!("own"), &json!(0)));
    assert_eq!(own["resumed_at_index"].as_u64(), own["interrupted_at_index"].as_u64().map(|index| index + 1), "{own}");
    let silent = format!("{} {}", judge("python").display(), sandbox.path().join("silent.py").display());
    let source = std::fs::read_to_string(worker("job.py")).unwrap();
    let lines = source.lines().filter(|line| !line.trim_start().starts_with("print("));
    std::fs::write(sandbox.path().join("silent.py"), lines.collect::<Vec<_>>().join("\n")).unwrap();
    let report = sandbox.json(&["lab", "--item-seconds", "0.4", "--batch-size", "7", "--worker", &silent]);
    assert_eq!(report["verdict"], "pass", "{report}");
}

#[test]
fn the_settings_file_names_a_worker_and_commands_take_the_name() {
    let sandbox = stage();
    let settings = format!("[worker]\nname = 'mine'\ncommand = {}\n", json!(python()));
    std::fs::write(sandbox.path().join("fis-workshop.toml"), settings).unwrap();
    for variant in ["mine", "own"] {
        sandbox.ok(&["clear"]);
        let log = sandbox.ok(&["run", variant, "--item-seconds", "0", "--batch-size", "2"]);
        assert_eq!(log, sandbox.ok(&["logs", variant]));
        assert!(log.starts_with("Starting at 0"), "{log}");
    }
    assert!(sandbox.ok(&["try", "--batch-size", "2"]).starts_with("Continuing at 2"));
    let report = sandbox.json(&["lab", "mine", "--item-seconds", "0.4", "--env", "default"]);
    assert_eq!((&report["verdict"], &report["variants"][0]["variant"]), (&json!("pass"), &json!("mine")), "{report}");
    let unknown = sandbox.run(&["run", "yours"]);
    assert_eq!(unknown.code, 2, "{unknown:?}");
    assert!(unknown.stderr.contains("invalid value 'yours' for '[VARIANT]'"), "{unknown:?}");
}

#[test]
fn a_worker_that_nobody_can_start_is_refused_before_a_task_is_made() {
    let sandbox = stage();
    std::fs::write(sandbox.path().join("job.py"), "").unwrap();
    for (args, says) in [
        (&["run", "own"][..], "There is no worker of your own to run."),
        (&["try"], "There is no worker of your own to run."),
        (&["try", "--", "/no/such/program"], "there is no program /no/such/program"),
        (&["try", "--", "no-such-program"], "there is no program no-such-program"),
        (&["try", "--", "./job.py"], "such as `python3 ./job.py`, or make it executable"),
        (&["run", "--worker", "python3 'job.py"], "a quotation mark is not closed"),
        (&["lab", "--worker", " "], "The command of your worker is empty."),
        (&["try", "--target", "aws", "--", "python3", "job.py"], "The command `python3 job.py` cannot run on AWS."),
        (&["lab", "--target", "aws", "--worker", "python3 job.py"], "tasks of AWS run images"),
        (&["run", "improved", "--worker", "python3 job.py"], "cannot be used with"),
    ] {
        let run = sandbox.run(args);
        assert_eq!(run.code, 2, "{args:?}: {run:?}");
        assert!(run.stderr.contains(says), "{args:?}: {run:?}");
        assert!(!run.stderr.contains("runs as you"), "{args:?}: {run:?}");
    }
    assert_eq!(sandbox.json(&["status"])["tasks"], json!([]));
}
