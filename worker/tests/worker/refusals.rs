//! What the programs refuse, and how they say so.

use crate::lab::{IMPROVED, Lab, ORIGINAL, Run};

#[test]
fn a_bad_variable_is_one_line_and_exit_2() {
    let lab = Lab::new();
    for program in [ORIGINAL, IMPROVED] {
        for (name, value, found) in [
            ("TABLE_NAME", None, "not set"),
            ("TABLE_NAME", Some("a table"), r#""a table""#),
            ("BATCH_ID", Some(""), r#""""#),
            ("BATCH_SIZE", Some("0"), r#""0""#),
            ("BATCH_SIZE", Some("ten\n"), r#""ten\n""#),
            ("ITEM_SECONDS", Some("-1"), r#""-1""#),
            ("ITEM_SECONDS", Some("soon"), r#""soon""#),
        ] {
            let mut command = lab.command(program);
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };

            let outcome = Run::start(&mut command).wait();

            assert_eq!(outcome.code, Some(2), "{name}: {outcome:?}");
            assert!(outcome.stdout.is_empty(), "{outcome:?}");
            let line = &outcome.stderr;
            let start = format!("{name} is {found}: expected ");
            assert!(line.starts_with(&start), "{line}");
            assert_eq!(line.lines().count(), 1, "{line}");
        }
    }
    assert!(lab.take_requests().is_empty());
}

#[test]
fn no_region_is_a_bad_variable_too() {
    let lab = Lab::new();
    let mut command = lab.command(IMPROVED);
    command.env_remove("AWS_REGION").env("AWS_EC2_METADATA_DISABLED", "true");

    let outcome = Run::start(&mut command).wait();

    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert_eq!(outcome.stderr, "AWS_REGION is not set: expected the region of the table, such as eu-west-1\n");
    assert!(lab.take_requests().is_empty());
}

#[test]
fn an_error_of_aws_comes_root_cause_first() {
    let lab = Lab::new();
    for (program, doing) in [(ORIGINAL, "writing item 0 to table missing"), (IMPROVED, "reading from table missing")] {
        let outcome = Run::start(lab.command(program).env("TABLE_NAME", "missing")).wait();

        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        assert_eq!(
            outcome.stderr,
            format!("ResourceNotFoundException: Requested resource not found\n  while {doing}\n")
        );
    }
}

#[test]
fn no_endpoint_and_no_credentials() {
    let lab = Lab::new();
    let mut unreachable = lab.command(IMPROVED);
    unreachable.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1").env("AWS_MAX_ATTEMPTS", "1");
    let mut anonymous = lab.command(IMPROVED);
    anonymous.env_remove("AWS_ACCESS_KEY_ID").env("AWS_EC2_METADATA_DISABLED", "true");
    for (command, cause) in [(unreachable, "Connection refused"), (anonymous, "No AWS credentials: ")] {
        let mut command = command;
        let outcome = Run::start(&mut command).wait();

        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        assert!(outcome.stderr.starts_with(cause), "{outcome:?}");
        let second = format!("  while reading from table {}", crate::lab::TABLE);
        assert_eq!(outcome.stderr.lines().nth(1).unwrap(), second);
        assert_eq!(outcome.stderr.lines().count(), 2, "{outcome:?}");
    }
}

#[test]
fn a_metadata_endpoint_that_does_not_answer_well() {
    let lab = Lab::new();
    for (uri, cause) in [
        ("http://127.0.0.1:1/v4/x".to_owned(), "Connection refused"),
        (format!("{}/nothing", lab.metadata_uri("x")), "HTTP status 404"),
    ] {
        let mut command = lab.command(ORIGINAL);
        command.env("ECS_CONTAINER_METADATA_URI_V4", &uri);

        let outcome = Run::start(&mut command).wait();

        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        assert!(outcome.stderr.starts_with(cause), "{outcome:?}");
        let doing = format!("while asking the task metadata endpoint {uri}/task which task this is\n");
        assert!(outcome.stderr.ends_with(&doing), "{outcome:?}");
    }
    assert!(lab.take_requests().is_empty());
}

#[test]
fn an_item_that_no_job_wrote_is_named() {
    let lab = Lab::new();
    let put = serde_json::json!({
        "TableName": crate::lab::TABLE,
        "Item": {"BatchId": {"S": "batch"}, "ItemIndex": {"N": "1.5"}},
    });
    let database = &lab.shared.database;
    database.put_item(serde_json::from_value(put).unwrap()).unwrap();

    let outcome = Run::start(&mut lab.command(IMPROVED)).wait();

    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("1.5"), "{outcome:?}");
    assert_eq!(outcome.stdout, ["Starting batch job"]);
}
