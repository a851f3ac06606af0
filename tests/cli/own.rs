//! Workers of one's own.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{Run, Running, Sandbox, judge, until};
use crate::workers::{javascript, line, mistake, python, rust, worker};

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

/// That of the page, in each of its languages.
#[test]
fn each_worker_of_the_page_passes_the_lab() {
    let home = Sandbox::new();
    let commands: [&[String]; 4] = [&python(), &javascript(), &rust(), &silent(&home)];
    std::thread::scope(|scope| {
        for command in commands {
            scope.spawn(|| {
                let sandbox = Sandbox::with_endpoint();
                let conditions = ["--item-seconds", "0.5", "--batch-size", "8", "--at-index", "1"];
                let report = sandbox.json(&[&["lab", "--worker", &line(command)][..], &conditions].concat());
                let own = &report["variants"][0];
                let interrupted = own["interrupted_at_index"].as_u64();
                assert_eq!((&report["verdict"], &own["variant"]), (&json!("pass"), &json!("own")), "{report}");
                assert_eq!(own["items_redone"], 0, "{own}");
                assert_eq!(own["resumed_at_index"].as_u64(), interrupted.map(|index| index + 1), "{own}");
            });
        }
    });
}

/// The one in Python without a word in its log.
fn silent(sandbox: &Sandbox) -> [String; 2] {
    let source = std::fs::read_to_string(worker("job.py")).unwrap();
    let lines: Vec<_> = source.lines().filter(|line| !line.trim_start().starts_with("print(")).collect();
    let path = sandbox.path().join("silent.py");
    std::fs::write(&path, lines.join("\n")).unwrap();
    [judge("python").display().to_string(), path.display().to_string()]
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

/// As on AWS, where a worker is an image that its author has pushed; this one is the improved worker's.
#[test]
fn an_image_in_the_repository_of_the_environment_is_a_worker_too() {
    let sandbox = stage();
    let mut boto = crate::boto::Boto::start(sandbox.variables());
    let family = json!({"taskDefinition": "FisStopTaskImprovedStackTaskDef"});
    let definition = boto.call("ecs", "DescribeTaskDefinition", &family).unwrap();
    let image = definition["taskDefinition"]["containerDefinitions"][0]["image"].as_str().unwrap();
    let run = sandbox.run(&["try", "--image", image, "--item-seconds", "0"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains("runs as you") && run.stderr.contains("the table has 10 of 10."), "{run:?}");
    let described =
        boto.call("ecs", "DescribeTaskDefinition", &json!({"taskDefinition": "FisStopTaskOwnStackTaskDef"}));
    let container = &described.unwrap()["taskDefinition"]["containerDefinitions"][0];
    assert_eq!((&container["image"], &container["command"]), (&json!(image), &Value::Null), "{container}");
    let lab = ["lab", "--env", "default", "--item-seconds", "0.3", "--image", &format!("own={image}")];
    assert_eq!(sandbox.json(&lab)["variants"][0]["variant"], "own");
    let (repository, digest) = image.split_once('@').unwrap();
    for (uri, says) in [
        (format!("{repository}:no-such-tag"), "There is no image"),
        (format!("{repository}/elsewhere@{digest}"), "may pull from one repository of ECR only"),
        ("localhost:5000/mine:1".to_owned(), "The local endpoint does not pull"),
        ("mine".to_owned(), "names no image"),
    ] {
        let run = sandbox.run(&["run", "--image", &uri]);
        assert!(run.code > 0 && run.stderr.contains(says), "{uri}: {run:?}");
    }
}

#[test]
fn a_checkpoint_before_its_item_loses_the_item() {
    let sandbox = stage();
    let command = mistake("checkpoint_first");
    let first = Running::start(&sandbox, &args(&["--item-seconds", "600"], &command));
    first.wait_for("Noted that item 0 is done");
    sandbox.ok(&["interrupt"]);
    assert_eq!(first.end().code, 143);
    let second = sandbox.run(&args(&["--item-seconds", "0"], &command));
    assert_eq!(second.code, 0, "{second:?}");
    assert!(second.stderr.contains("Exit code 0 means that all is done; the table lacks 0."), "{second:?}");
}

#[test]
fn an_index_in_a_file_outlives_the_table() {
    let sandbox = stage();
    let command = mistake("cached_index");
    let one = |says: &str| {
        let run = sandbox.run(&args(&["--item-seconds", "0", "--batch-size", "2"], &command));
        assert!(run.code == 0 && run.stderr.contains(says), "{run:?}");
    };
    one("the table has 2 of 2.");
    sandbox.ok(&["clear"]);
    one("Exit code 0 means that all is done; the table lacks 0, 1.");
}

/// The one of the page stands back instead.
#[test]
fn without_a_condition_two_copies_write_over_one_another() {
    let sandbox = stage();
    let both = |command: [String; 2]| {
        sandbox.ok(&["clear"]);
        let options = ["--force", "--item-seconds", "2", "--batch-size", "3"];
        let copies = [(), ()].map(|()| Running::start(&sandbox, &args(&options, &command)));
        let ended = copies.map(Running::end);
        let rewritten = sandbox.json(&["items"])["rewritten"].as_array().unwrap().len();
        (ended.map(|run| run.code), rewritten)
    };
    let (codes, rewritten) = both(mistake("no_condition"));
    assert!(codes == [0, 0] && rewritten > 0, "{codes:?} {rewritten}");
    let (mut codes, rewritten) = both(python());
    codes.sort_unstable();
    assert_eq!((codes, rewritten), ([0, 1], 0));
}

/// What programs do that are no workers, and what is said of it.
#[test]
fn whatever_a_program_does_its_end_is_told() {
    let sandbox = stage();
    let python = judge("python").display().to_string();
    let sh = |script: &str| vec!["/bin/sh".to_owned(), "-c".to_owned(), script.to_owned()];
    let py = |script: &str| vec![python.clone(), "-c".to_owned(), script.to_owned()];
    let nothing = "Nothing in the table bears its task id: has it asked DynamoDB for anything?";
    for (what, command, code, says) in [
        ("hangs", sh("sleep 600"), 143, "has written neither a line nor an item for 1 s: it is stopped"),
        ("asks for nothing", sh("exit 0"), 0, nothing),
        ("is not there", sh("exec no-such-program"), 127, "It could not be started: its program"),
        ("is no program", sh("exec /etc/passwd"), 126, "It could not be started: its file cannot be executed"),
        ("prints garbage", py(GARBAGE), 3, "It failed."),
        ("has credentials of its own", py(OTHER_CREDENTIALS), 1, nothing),
        ("dies of a signal", sh("kill -SEGV $$"), 139, "It failed."),
        ("writes what is no item", py(NO_ITEM), 0, "The table holds an item without a usable Result."),
    ] {
        // A busy machine may take long to start the others.
        let patience = if what == "hangs" { "1" } else { "60" };
        let run = sandbox.run(&args(&["--patience", patience], &command));
        assert!(run.stderr.contains(says), "a program that {what}: {}", run.stderr);
        assert_eq!(run.code, code, "a program that {what}: {}", run.stderr);
    }
}

const GARBAGE: &str = "import sys; sys.stdout.buffer.write(bytes(range(256)) * 20); sys.exit(3)";

const OTHER_CREDENTIALS: &str = "import boto3, os; \
    table = boto3.resource('dynamodb', aws_access_key_id='AKIA', aws_secret_access_key='x').Table(os.environ['TABLE_NAME']); \
    table.put_item(Item={'BatchId': 'batch', 'ItemIndex': 0})";

const NO_ITEM: &str = "import boto3, os; \
    boto3.resource('dynamodb').Table(os.environ['TABLE_NAME']).put_item(Item={'BatchId': 'batch', 'ItemIndex': 0})";

/// Half a minute of silence, and the lab takes down what it has set up.
#[test]
fn the_lab_does_not_wait_for_ever_for_a_worker_that_hangs() {
    let sandbox = Sandbox::with_endpoint();
    let run = sandbox.run(&["lab", "--item-seconds", "0", "--worker", "/bin/sleep 600"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.stderr.contains("Your worker has written neither a line nor an item for 30 s: it is stopped."),
        "{run:?}"
    );
    assert!(run.stderr.contains("Taking down what was set up."), "{run:?}");
    assert_eq!(sandbox.json(&["status", "--all"])["environments"], json!([]));
}

/// As those of a container do.
#[test]
fn what_a_program_has_started_ends_with_it() {
    let sandbox = stage();
    let script = "sleep 600 & echo $!; exit 0";
    let run = sandbox.run(&["try", "--", "/bin/sh", "-c", script]);
    assert_eq!(run.code, 0, "{run:?}");
    let child = run.stdout.trim().to_owned();
    let is_there = || Command::new("kill").args(["-0", &child]).output().unwrap().status.success();
    until("the end of what the program has started", || !is_there());
}

/// What is copied from the page is what is tested here.
#[test]
fn the_page_has_the_programs_that_are_tested() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let page = std::fs::read_to_string(docs.join("your-own-worker.md")).unwrap();
    let mut blocks = page.split("```python\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    assert_eq!(blocks.next(), std::fs::read_to_string(worker("job.py")).ok().as_deref());
    for name in ["checkpoint_first", "cached_index", "no_condition"] {
        let source = std::fs::read_to_string(worker(&format!("mistakes/{name}.py"))).unwrap();
        let lines: Vec<&str> = source.lines().collect();
        assert!(blocks.next().unwrap().lines().all(|line| lines.contains(&line)), "{name}");
    }
    for link in page.split("](").skip(1).map(|rest| rest.split([')', '#']).next().unwrap()) {
        assert!(docs.join(link).exists(), "{link}");
    }
    let toml = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path().join("fis-workshop.toml"), toml).unwrap();
    assert_eq!(sandbox.run(&["status"]).code, 0);
}
