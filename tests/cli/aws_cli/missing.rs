//! What somebody has deleted with the AWS CLI, and how `status` shows it.

use serde_json::Value;

use super::Terminal;
use crate::harness::Sandbox;

#[test]
fn what_was_deleted_by_hand_is_named_and_hides_no_other_environment() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up", "--env", "a", "--env", "b", "--env", "c"]);
    let terminal = Terminal::of(&sandbox);
    let (a, c) = (terminal.outputs("FisStopTaskStack-a"), terminal.outputs("FisStopTaskStack-c"));
    terminal.ok(&format!("aws dynamodb delete-table --table-name {}", a["TableName"]));
    terminal.ok(&format!("aws ecs delete-cluster --cluster {}", c["ClusterName"]));
    terminal.ok(&format!("aws logs delete-log-group --log-group-name {}", c["ImprovedLogGroupName"]));
    terminal.ok(&format!("aws fis delete-experiment-template --id {}", c["ExperimentTemplateId"]));

    let run = sandbox.run(&["status", "--all"]);
    assert_eq!(run.code, 1, "{run:?}");
    let lines: Vec<_> = run.stdout.lines().collect();
    assert_eq!(
        lines,
        [
            " environment  stack            running  last experiment  items",
            " a            CREATE_COMPLETE  0        -                table is gone",
            " b            CREATE_COMPLETE  0        -                0 of 10",
            " c            CREATE_COMPLETE  0        -                3 parts are gone",
            "✗ a: table is gone: `fis-workshop up --env a` repairs it",
            "✗ c: cluster, experiment template and log group of improved are gone: `fis-workshop up --env c` repairs it",
        ]
    );
    let run = sandbox.run(&["status", "--all", "--output", "json"]);
    assert_eq!(run.code, 1, "{run:?}");
    let status: Value = serde_json::from_str(&run.stdout).unwrap();
    let [a, b, c] = [0, 1, 2].map(|number| &status["environments"][number]);
    assert_eq!(a["problem"], "table is gone: `fis-workshop up --env a` repairs it");
    assert_eq!((&b["problem"], &b["table"]["items"]), (&Value::Null, &0.into()));
    // What is there is shown all the same.
    assert_eq!(c["table"]["batch_size"], 10);

    for command in ["items", "clear"] {
        let run = sandbox.run(&[command, "--env", "a"]);
        assert!(run.stderr.contains("hint: The table is gone: `fis-workshop up --env a` repairs"), "{run:?}");
    }
    let run = sandbox.run(&["run", "original", "--env", "a"]);
    assert!(run.code == 1 && run.stderr.contains("hint: The table is gone: "), "{run:?}");
    let run = sandbox.run(&["status", "--env", "a"]);
    assert!(run.code == 1 && run.stdout.contains("✗ table is gone: "), "{run:?}");
    assert!(sandbox.ok(&["regenerate", "--all"]).ends_with("3 of 3 environments are regenerated.\n"));
    let status = sandbox.json(&["status", "--all"]);
    assert!(status["environments"].as_array().unwrap().iter().all(|it| it["problem"].is_null()), "{status}");
    sandbox.ok(&["down", "--all"]);
}
