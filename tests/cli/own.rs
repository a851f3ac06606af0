//! Workers of one's own.

use std::path::Path;

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
    assert_eq!((&items["missing"], &items["rewritten"]), (&serde_json::json!([]), &serde_json::json!([])), "{items}");
    let status = sandbox.json(&["status"]);
    assert_eq!(status["tasks"][0]["variant"], "own", "{status}");
    assert_eq!(status["problem"], serde_json::Value::Null, "{status}");
}

#[test]
fn taking_down_leaves_no_task_definition_of_a_worker() {
    let sandbox = stage();
    let true_ = ["/bin/true".to_owned()];
    assert_eq!(sandbox.run(&args(&[], &true_)).code, 0);
    let down = sandbox.json(&["down"]);
    assert_eq!(down["survivors"], serde_json::json!([]), "{down}");
    let mut boto = crate::boto::Boto::start(sandbox.variables());
    let families = boto.call("ecs", "ListTaskDefinitionFamilies", &serde_json::json!({"status": "ACTIVE"})).unwrap();
    assert_eq!(families["families"], serde_json::json!([]), "{families}");
}
