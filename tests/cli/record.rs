//! The record of a lab, and the page that is made of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::harness::{Running, Sandbox};

/// The lines of a record.
fn lines(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The one run that there is.
fn only_run(sandbox: &Sandbox) -> PathBuf {
    let mut runs = fs::read_dir(sandbox.state_dir().join("runs")).unwrap();
    let run = runs.next().unwrap().unwrap().path();
    assert!(runs.next().is_none());
    run
}

fn lines_of(sandbox: &Sandbox, run: &str) -> Vec<Value> {
    lines(&sandbox.state_dir().join("runs").join(run).join("record.jsonl"))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn events<'a>(lines: &'a [Value], name: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["event"] == name).collect()
}

#[test]
fn a_lab_leaves_a_record_and_a_page_that_say_what_its_result_says() {
    let sandbox = Sandbox::with_endpoint();
    let report = sandbox.json(&["lab", "original", "--item-seconds", "0.25"]);
    let run = only_run(&sandbox);
    let (record, page) = (run.join("record.jsonl"), run.join("report.html"));
    assert_eq!(report["report"], page.to_str().unwrap());
    assert_eq!((mode(&run), mode(&record), mode(&page)), (0o700, 0o600, 0o600));

    let lines = lines(&record);
    assert_eq!((&lines[0]["schema"], &lines[0]["command"]), (&json!(1), &json!("lab")));
    assert_eq!(lines[0]["args"], json!(["lab", "original", "--item-seconds", "0.25", "--output", "json"]));
    let result = &lines.last().unwrap()["result"];
    assert_eq!(result["variants"], report["variants"]);
    let original = &report["variants"][0];
    let at = original["interrupted_at_index"].as_u64().unwrap();
    assert_eq!(events(&lines, "hit")[0]["last_index"], at);
    // All that was written: what was there at the interruption, and everything once more.
    assert_eq!(events(&lines, "item").len() as u64, at + 1 + 10);
    let puts = |line: &&&Value| line["message"].as_str().unwrap().contains("Successfully PUT");
    assert_eq!(events(&lines, "line").iter().filter(puts).count() as u64, at + 1 + 10);
    assert!(fs::metadata(&record).unwrap().len() < 200 * 1024);

    let html = fs::read_to_string(&page).unwrap();
    assert!(html.contains("<h1>The hypothesis holds</h1>"), "{html}");
    assert!(html.contains(&format!("data-last-index=\"{at}\"")), "{html}");
    assert_eq!(html.matches("data-again").count() as u64, original["items_redone"].as_u64().unwrap(), "{html}");
    for check in original["checks"].as_array().unwrap() {
        assert!(html.contains(check["detail"].as_str().unwrap()), "{check}: {html}");
    }
    // Nothing of it is anywhere else.
    assert!(!html.contains("http:") && !html.contains("https:") && !html.contains("<script"), "{html}");

    let again = sandbox.json(&["report", "--to", "here"]);
    assert_eq!(again["run"], lines[0]["run"]);
    assert_eq!(fs::read_to_string(sandbox.path().join("here/report.html")).unwrap(), html);
    sandbox.ok(&["report", record.to_str().unwrap(), "--to", "there"]);
    assert_eq!(fs::read_to_string(sandbox.path().join("there/report.html")).unwrap(), html);
}

#[test]
fn the_last_line_of_the_lab_is_the_path_of_its_page() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up", "--env", "lab"]);
    let run = sandbox.run(&["lab", "improved", "--item-seconds", "0.25"]);
    assert_eq!(run.code, 0, "{run:?}");
    let page = only_run(&sandbox).join("report.html");
    assert!(run.stdout.ends_with(&format!("\nReport: {}\n", page.display())), "{run:?}");
    assert!(page.is_file());
    sandbox.ok(&["down", "--env", "lab"]);
}

/// Killed without a chance to say anything.
#[test]
fn a_lab_that_was_killed_has_a_page_of_what_had_happened() {
    let sandbox = Sandbox::with_endpoint();
    let lab = Running::start(&sandbox, &["lab", "improved", "--item-seconds", "5", "--at-index", "0"]);
    lab.wait_for("Experiment EXP");
    lab.signal("KILL");
    lab.end();
    let page = sandbox.ok(&["report"]);
    let html = fs::read_to_string(page.trim()).unwrap();
    assert!(html.contains("<h1 class=\"bad\">The run did not come to a result</h1>"), "{html}");
    assert!(html.contains("data-index=\"0\"") && html.contains("class=\"experiment\""), "{html}");
    sandbox.ok(&["down", "--env", "lab"]);
}

#[test]
fn a_run_that_is_not_there_and_a_file_that_is_no_record_are_named() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["report"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("hint: `fis-workshop lab` plays and records one."), "{run:?}");
    let run = sandbox.run(&["report", "nowhere"]);
    assert!(run.code == 1 && run.stderr.contains("There is no run nowhere, nor a file of that name."), "{run:?}");
    fs::write(sandbox.path().join("notes.txt"), "what I saw\n").unwrap();
    let run = sandbox.run(&["report", "notes.txt"]);
    assert!(run.code == 1 && run.stderr.contains("notes.txt is no record of a run."), "{run:?}");
    fs::write(sandbox.path().join("later.jsonl"), "{\"schema\":2}\n").unwrap();
    let run = sandbox.run(&["report", "later.jsonl"]);
    assert!(run.code == 1 && run.stderr.contains("later.jsonl has version 2 of the record."), "{run:?}");
}

#[test]
fn runs_are_listed_shown_sent_compared_and_deleted() {
    let sandbox = Sandbox::with_endpoint();
    for variant in ["original", "improved"] {
        sandbox.json(&["lab", variant, "--item-seconds", "0.25"]);
    }
    let listed = sandbox.json(&["runs"]);
    let names: Vec<_> = listed["runs"].as_array().unwrap().iter().map(|run| run["run"].as_str().unwrap()).collect();
    let [original, improved] = names.as_slice() else { panic!("{listed}") };
    assert!(listed["runs"].as_array().unwrap().iter().all(|run| run["outcome"] == "pass"), "{listed}");

    let shown = sandbox.ok(&["runs", "show", original]);
    let moments =
        ["PROVISIONING", "| Starting at 0", " experiment EXP", "STOPPED, exit code 143: Task stopped by AWS FIS"];
    let places: Vec<_> = moments.iter().map(|moment| shown.find(moment)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}: {shown}");
    // The same, in its own time: as fast as can be here.
    assert_eq!(sandbox.ok(&["replay", original, "--speed", "1000000"]), shown);

    let exported = sandbox.json(&["runs", "export", original, "--to", "sent.jsonl"]);
    assert_eq!(exported["file"], "sent.jsonl");
    let compared = sandbox.json(&["replay", "--diff", "sent.jsonl", improved]);
    let told = |what: &str| {
        let found = compared["differences"].as_array().unwrap().iter().find(|it| it["what"] == what);
        found.unwrap_or_else(|| panic!("{what}: {compared}"))["values"].clone()
    };
    let again = told("items done again");
    assert!(again[0].as_str().unwrap().parse::<u64>().unwrap() >= 4 && again[1] == "0", "{compared}");
    assert!(told("lines of the logs, without their numbers")[1].as_str().unwrap().contains("Continuing at N"));

    assert!(sandbox.ok(&["runs", "delete", original]).contains("Deleted "));
    let unknown = sandbox.run(&["runs", "delete", "../state"]);
    assert!(unknown.code == 1 && unknown.stderr.contains("There is no run ../state."), "{unknown:?}");
    // What was sent is whole without its run.
    assert_eq!(sandbox.ok(&["runs", "show", "sent.jsonl"]), shown);
    sandbox.ok(&["runs", "delete", "--all"]);
    assert_eq!(sandbox.json(&["runs"])["runs"], json!([]));
    let none = sandbox.run(&["replay"]);
    assert!(none.code == 1 && none.stderr.contains("No run was recorded yet."), "{none:?}");
}

#[test]
fn a_run_and_an_interruption_leave_records_of_their_own() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    let run = Running::start(&sandbox, &["run", "original", "--item-seconds", "0.5"]);
    run.wait_for("Successfully PUT item 0");
    sandbox.ok(&["interrupt", "--at-index", "1"]);
    assert_eq!(run.end().code, 143);
    let listed = sandbox.json(&["runs"]);
    let runs = listed["runs"].as_array().unwrap();
    assert!(runs.iter().all(|run| run["outcome"] == "ended") && runs.len() == 2, "{listed}");
    let [of_run, of_interruption] =
        [0, 1].map(|number| sandbox.ok(&["runs", "show", runs[number]["run"].as_str().unwrap()]));
    assert!(of_run.contains("| Successfully PUT item 0") && of_run.contains("STOPPED, exit code 143"), "{of_run}");
    assert!(of_interruption.contains("the experiment has stopped task "), "{of_interruption}");
    sandbox.ok(&["report", runs[0]["run"].as_str().unwrap(), "--to", "."]);
    let page = fs::read_to_string(sandbox.path().join("report.html")).unwrap();
    assert!(page.contains("<h1>What happened</h1>") && page.contains("exit code 143"), "{page}");
    let record = lines_of(&sandbox, runs[0]["run"].as_str().unwrap());
    let written: Vec<_> = events(&record, "item").iter().map(|item| item["index"].as_u64().unwrap()).collect();
    assert!(written.len() > 1 && written.iter().copied().eq(0..written.len() as u64), "{written:?}");
}

/// The work is what counts.
#[test]
fn a_run_that_cannot_be_recorded_is_run_all_the_same() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    fs::write(sandbox.state_dir().join("runs"), "no directory").unwrap();
    for args in [&["run", "improved", "--item-seconds", "0"][..], &["lab", "improved", "--item-seconds", "0.25"]] {
        let run = sandbox.run(args);
        assert_eq!(run.code, 0, "{run:?}");
        assert!(run.stderr.contains("The run cannot be recorded in "), "{run:?}");
    }
}
