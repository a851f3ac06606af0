//! What `down` finds when something was left behind its back.

use serde_json::json;

use super::Terminal;
use crate::harness::Sandbox;

#[test]
fn nothing_survives_a_complete_down() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    sandbox.ok(&["up", "--env", "team"]);
    let down = sandbox.json(&["down"]);
    assert_eq!(down["survivors"], json!([]));
    assert_eq!(down["remaining_environments"], json!(["team"]));
    assert_eq!(sandbox.json(&["down", "--all"])["survivors"], json!([]));
}

/// Somebody has put a subnet into the lab's VPC, by a stack of their own.
#[test]
fn what_cannot_be_deleted_is_listed_with_the_cause_and_goes_when_that_is_gone() {
    let sandbox = Sandbox::with_endpoint();
    let network = sandbox.json(&["up"])["network"]["outputs"].clone();
    let aws = Terminal::of(&sandbox);
    let subnet = json!({"Type": "AWS::EC2::Subnet",
        "Properties": {"VpcId": network["VpcId"], "CidrBlock": "10.0.200.0/24"}});
    std::fs::write(sandbox.path().join("guest.json"), json!({"Resources": {"Guest": subnet}}).to_string()).unwrap();
    aws.ok("aws cloudformation deploy --stack-name guest --template-file guest.json");
    let down = sandbox.run(&["down", "--output", "json"]);
    assert_eq!(down.code, 4, "{down:?}");
    assert!(down.stderr.contains("error: The stack FisStackVpc could not be deleted."), "{down:?}");
    assert!(down.stderr.contains("cause: FisVpc (AWS::EC2::VPC) DELETE_FAILED: "), "{down:?}");
    let found: serde_json::Value = serde_json::from_str(&down.stdout).unwrap();
    assert_eq!(found["deleted_stacks"], json!(["FisStopTaskStack"]), "{found}");
    let survivors = found["survivors"].as_array().unwrap();
    let of = |kind: &str| survivors.iter().find(|survivor| survivor["kind"] == kind);
    assert_eq!(of("VPC").unwrap()["id"], network["VpcId"], "{found}");
    assert_eq!(of("stack").unwrap()["id"], "FisStackVpc", "{found}");
    assert!(of("NAT gateway").is_none(), "{found}");
    aws.ok("aws cloudformation delete-stack --stack-name guest");
    assert_eq!(sandbox.json(&["down"])["survivors"], json!([]));
}
