//! What bad input gets: one clear error, and the right exit code.

use crate::harness::Sandbox;

#[test]
fn wrong_values_get_exit_code_2_and_the_nearest_right_one() {
    let sandbox = Sandbox::new();
    let cases: [&[&str]; 14] = [
        &["pu"],
        &["run", "orginal"],
        &["run"],
        &["--target", "loacl", "status"],
        &["--env", "-x", "status"],
        &["lab", "--item-seconds", "-1"],
        &["lab", "--item-seconds", "1e9"],
        &["lab", "--batch-size", "0"],
        &["interrupt", "--at-index", "four"],
        &["interrupt", "--at-index", "-1"],
        &["interrupt", "--predict", "restart=me"],
        &["interrupt", "--predict", "resume=x"],
        &["lab", "--predict", "improvd:redone=0"],
        &["lab", "--predict", "redone=0", "--no-predict"],
    ];
    for (number, case) in cases.into_iter().enumerate() {
        let run = sandbox.run(case);
        assert_eq!(run.code, 2, "{case:?}");
        insta::assert_snapshot!(format!("wrong_value_{number}"), run.transcript(sandbox.path()));
    }
    assert!(!sandbox.state_dir().exists());
}

#[test]
fn the_lab_refuses_an_index_after_which_there_is_nothing_to_interrupt() {
    let sandbox = Sandbox::new();
    insta::assert_snapshot!(sandbox.transcript(&["lab", "--at-index", "9"]));
}

#[test]
fn verbs_of_other_programs_lead_to_ours() {
    let sandbox = Sandbox::new();
    for (verb, ours) in [("start", "`fis-workshop up`"), ("stop", "`fis-workshop down`")] {
        let run = sandbox.run(&[verb]);
        assert_eq!(run.code, 2);
        assert!(run.stderr.contains(ours) && !run.stderr.contains("similar subcommand"), "{}", run.stderr);
    }
    assert_eq!(sandbox.ok(&["ls", "--help"]), sandbox.ok(&["status", "--help"]));
}

#[test]
fn the_only_item_of_a_batch_leaves_no_index_to_choose() {
    let run = Sandbox::new().run(&["lab", "--at-index", "0", "--batch-size", "1"]);
    assert!(run.stderr.contains("Choose more items"), "{}", run.stderr);
}

#[test]
fn a_wrong_variable_is_named() {
    let sandbox = Sandbox::new();
    let output = sandbox.command(&["status"]).env("FIS_WORKSHOP_TARGET", "cloud").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("[possible values: local, aws]"));
}

#[test]
fn a_wrong_settings_file_is_named_with_its_line() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path().join("fis-workshop.toml"), "target = 'local'\ncolour = 'never'\n").unwrap();
    insta::assert_snapshot!(sandbox.transcript(&["status"]));
}

#[test]
fn the_settings_file_is_used_and_a_flag_wins_over_it() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path().join("fis-workshop.toml"), "env = 'team'\noutput = 'json'\n").unwrap();
    assert!(sandbox.ok(&["status"]).contains(r#""environment":"team""#));
    assert!(sandbox.ok(&["status", "--env", "other"]).contains(r#""environment":"other""#));
}

#[test]
fn the_settings_file_and_the_variable_take_several_environments() {
    let sandbox = Sandbox::new();
    let file = sandbox.path().join("fis-workshop.toml");
    let names = |text: String| ["one", "two"].map(|name| text.contains(name));
    let status = ["status", "--output", "json"];
    let output = sandbox.command(&status).env("FIS_WORKSHOP_ENV", "one,two").output().unwrap();
    assert_eq!(names(String::from_utf8(output.stdout).unwrap()), [true, true]);
    std::fs::write(&file, "env = ['one', 'two']\n").unwrap();
    assert_eq!(names(sandbox.ok(&status)), [true, true]);
    std::fs::write(&file, "env = ['one', 'no_name']\n").unwrap();
    let run = sandbox.run(&status);
    assert!(run.code == 2 && run.stderr.contains("inner hyphens"), "{}", run.stderr);
}

#[test]
fn commands_that_need_an_environment_say_how_to_set_it_up() {
    let sandbox = Sandbox::with_endpoint();
    for command in [&["run", "original"][..], &["interrupt"], &["items"], &["logs", "original"], &["clear"]] {
        let run = sandbox.run(command);
        assert_eq!(run.code, 1, "{command:?}");
        assert!(run.stderr.contains("`fis-workshop up` sets it up"), "{command:?}: {}", run.stderr);
        assert!(run.stdout.is_empty(), "{command:?}");
    }
}

#[test]
fn a_state_directory_that_cannot_be_written_is_named() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path().join("file"), "").unwrap();
    let run = sandbox.run(&["--state-dir", "file/state", "up"]);
    assert_eq!(run.code, 1);
    insta::assert_snapshot!(run.transcript(sandbox.path()));
}
