//! `lab` when it does not pass: which exit code, what is told, and what is left.

use fis_workshop_images::WORKERS;
use serde_json::{Value, json};

use crate::boto::Boto;
use crate::census::nothing_left;
use crate::harness::{Run, Running, Sandbox, until};
use crate::wire::{Fault, Proxy};

/// The original worker in the place of the improved one completes the batch, and starts over.
#[test]
fn a_worker_that_does_not_do_what_its_variant_promises_is_exit_code_3() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    let original = sandbox.json(&["image", "push"])["images"][0].as_str().unwrap().to_owned();
    let images = WORKERS.iter().flat_map(|variant| ["--image".to_owned(), format!("{variant}={original}")]);
    let images: Vec<String> = images.collect();
    let lab = ["lab", "improved", "--item-seconds", "0.25"].into_iter().chain(images.iter().map(String::as_str));
    let lab: Vec<&str> = lab.collect();
    let run = sandbox.run(&[&lab[..], &["--output", "json"]].concat());
    assert_eq!(run.code, 3, "{run:?}");
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    assert_eq!((&report["verdict"], &report["survivors"]), (&json!("fail"), &json!([])), "{report}");
    // The network is not the lab's: it was there.
    assert_eq!(report["deleted_stacks"], json!(["FisStopTaskStack-lab"]), "{report}");
    let improved = &report["variants"][0];
    let (at, redone) = (improved["interrupted_at_index"].as_u64().unwrap(), &improved["items_redone"]);
    assert_eq!((&improved["complete"], &improved["resumed_at_index"]), (&json!(true), &json!(0)), "{report}");
    assert_eq!(*redone, at + 1, "{report}");
    let failed = improved["checks"].as_array().unwrap().iter().filter(|check| check["ok"] == false);
    let failed: Vec<_> = failed.map(|check| &check["name"]).collect();
    assert_eq!(failed, ["redone_as_expected", "resumed_where_it_should", "log_of_restarted_task"], "{report}");

    let run = sandbox.run(&lab);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stdout.contains("✗ improved: the task that was run again started at index 0; "), "{run:?}");
    let (before, page) = run.stdout.trim_end().rsplit_once("\nReport: ").unwrap_or_else(|| panic!("{run:?}"));
    assert!(before.ends_with("), or an invariant behind it, does not hold."), "{run:?}");
    let error =
        "error: The lab's hypothesis, or an invariant behind it, did not hold.\n  hint: The report shows what was seen";
    assert!(run.stderr.ends_with(&format!("{error}: {page}\n")), "{run:?}");
    let html = std::fs::read_to_string(page).unwrap();
    assert!(html.contains(">The hypothesis does not hold</h1>"), "{html}");
    assert!(html.contains("✗ redone as expected</b> items done twice: "), "{html}");
    sandbox.ok(&["down"]);
}

/// Somebody has made a log group that looks like the lab's, tag included.
#[test]
fn what_survives_the_lab_is_listed_and_exit_code_4() {
    let sandbox = Sandbox::with_endpoint();
    let mut boto = Boto::start(sandbox.variables());
    let name = json!("FisStopTaskStack-lab-OriginalLogGroup-1A2B3C");
    let mut logs = |operation: &str, input: Value| boto.call("logs", operation, &input).unwrap();
    logs("CreateLogGroup", json!({"logGroupName": name, "tags": {"fis-workshop:environment": "lab"}}));
    let run = sandbox.run(&["lab", "improved", "--item-seconds", "0.25", "--output", "json"]);
    assert_eq!(run.code, 4, "{run:?}");
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    assert_eq!(report["verdict"], "pass", "{report}");
    let survivors = report["survivors"].as_array().unwrap();
    assert_eq!(survivors.iter().map(|it| &it["id"]).collect::<Vec<_>>(), [&name], "{report}");
    for text in [
        "error: 1 resources of the lab have survived.",
        "log group FisStop",
        "`fis-workshop down --env lab` tries again.",
    ] {
        assert!(run.stderr.contains(text), "{text}: {run:?}");
    }
    logs("DeleteLogGroup", json!({"logGroupName": name}));
    assert_eq!(sandbox.json(&["down", "--env", "lab"])["survivors"], json!([]));
}

#[test]
fn a_lab_that_cannot_be_played_is_taken_down_and_when_that_fails_too_both_are_told() {
    let sandbox = Sandbox::with_endpoint();
    let proxy = Proxy::of(&sandbox);
    let denying = |operations: &'static [&'static str]| {
        proxy.plan(|call| operations.contains(&call.name().as_str()).then_some(Fault::Denied));
        let run = Run::of(proxy.command(&sandbox, &["lab", "improved"]).output().unwrap());
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{run:?}");
        assert_eq!(run.stderr.matches("error: ").count(), 1, "{run:?}");
        assert!(run.stderr.contains("error: Running a task of improved failed.\n"), "{run:?}");
        run
    };
    let run = denying(&["ecs:RunTask"]);
    assert!(!run.stderr.contains("Taking the environment down failed, too"), "{run:?}");
    nothing_left(&sandbox);

    let run = denying(&["ecs:RunTask", "cloudformation:DeleteStack"]);
    let too = "hint: Taking the environment down failed, too: ";
    let second = run.stderr.split_once(too).unwrap_or_else(|| panic!("{run:?}")).1;
    assert!(second.contains("FisStopTaskStack-lab") && second.contains("`fis-workshop down --env lab`"), "{run:?}");
    sandbox.ok(&["down", "--env", "lab"]);
    nothing_left(&sandbox);
}

#[test]
fn after_ctrl_c_what_the_lab_has_set_up_stays_until_down() {
    let sandbox = Sandbox::with_endpoint();
    let lab = Running::start(&sandbox, &["lab", "--item-seconds", "30"]);
    let tasks = || sandbox.run(&["status", "--env", "lab", "--output", "json"]);
    until("the lab runs a task", || {
        let status: Value = serde_json::from_str(&tasks().stdout).unwrap_or_default();
        status["tasks"][0]["last_status"] == "RUNNING"
    });
    lab.signal("INT");
    let run = lab.end();
    assert_eq!((run.code, run.stdout.as_str()), (130, ""), "{run:?}");
    assert!(
        run.stderr.ends_with(
            "error: Interrupted.\n  hint: What the lab has set up stays: `fis-workshop down --env lab` takes it down.\n"
        ),
        "{run:?}"
    );
    assert_eq!(sandbox.json(&["status", "--env", "lab"])["tasks"][0]["desired_status"], "RUNNING");
    sandbox.ok(&["down", "--env", "lab"]);
    nothing_left(&sandbox);
}

/// A cluster of that name is there already: the environment is rolled back, and nothing of it may go on costing money.
#[test]
fn a_lab_whose_environment_cannot_be_made_takes_the_network_down_again() {
    let sandbox = Sandbox::with_endpoint();
    let mut boto = Boto::start(sandbox.variables());
    let cluster = json!({"clusterName": "FisStackECS-Cluster-lab"});
    boto.call("ecs", "CreateCluster", &cluster).unwrap();
    let lab = sandbox.run(&["lab"]);
    assert_eq!(lab.code, 1, "{lab:?}");
    assert!(lab.stderr.contains("Taking down what was set up."), "{lab:?}");
    let stacks = boto.call("cloudformation", "DescribeStacks", &json!({})).unwrap();
    assert_eq!(stacks["Stacks"], json!([]), "{lab:?}");
}

/// Who has made it wants it, perhaps; who has not is told what goes on costing money.
#[test]
fn a_lab_in_an_environment_that_was_there_says_that_it_stays() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up", "--env", "lab"]);
    let lab = sandbox.run(&["lab", "improved", "--item-seconds", "0.25"]);
    assert_eq!(lab.code, 0, "{lab:?}");
    let stays = "The environment lab was there before and stays; `fis-workshop down --env lab` takes it down.";
    assert!(lab.stderr.contains(stays), "{lab:?}");
}

/// The same command again goes on in it, ends what still runs there, and takes it down: it is the lab's own.
#[test]
fn a_lab_after_ctrl_c_goes_on_and_leaves_nothing() {
    let sandbox = Sandbox::with_endpoint();
    let lab = Running::start(&sandbox, &["lab", "improved", "--item-seconds", "5"]);
    lab.wait_for("PUT item 0 ");
    lab.signal("INT");
    assert_eq!(lab.end().code, 130);
    let lab = sandbox.run(&["lab", "improved", "--item-seconds", "0.25"]);
    assert_eq!(lab.code, 0, "{lab:?}");
    assert!(lab.stderr.contains("An interrupted lab has left the environment lab: going on in it."), "{lab:?}");
    assert!(lab.stderr.contains("Stopped the task "), "{lab:?}");
    nothing_left(&sandbox);
}

/// Somebody has taken it over by `up`: from then on it is theirs.
#[test]
fn what_a_lab_has_left_is_a_persons_after_up() {
    let sandbox = Sandbox::with_endpoint();
    let lab = Running::start(&sandbox, &["lab", "improved", "--item-seconds", "5"]);
    lab.wait_for("Started the task ");
    lab.signal("INT");
    assert_eq!(lab.end().code, 130);
    sandbox.ok(&["regenerate", "--env", "lab"]);
    sandbox.ok(&["up", "--env", "lab"]);
    let lab = sandbox.run(&["lab", "improved", "--item-seconds", "0.25"]);
    assert_eq!(lab.code, 0, "{lab:?}");
    assert!(lab.stderr.contains("The environment lab was there before and stays;"), "{lab:?}");
    assert_eq!(sandbox.json(&["up", "--env", "lab"])["environment"], "lab");
}
