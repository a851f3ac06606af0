//! What `down` finds when something was left behind its back.

use serde_json::json;

use super::Terminal;
use crate::harness::{Run, Sandbox};
use crate::wire::{Answer, Proxy};

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

/// The second time as well: it is the same thing that costs money.
#[test]
fn what_has_survived_is_named_every_time() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up", "--env", "seat-01"]);
    let aws = Terminal::of(&sandbox);
    aws.ok("aws logs create-log-group --log-group-name FisStopTaskStack-seat-01-OriginalLogGroup-ABC");
    let insights = "/aws/ecs/containerinsights/FisStackECS-Cluster-seat-02/performance";
    aws.ok(&format!("aws logs create-log-group --log-group-name {insights}"));
    for _ in 0..2 {
        let down = sandbox.run(&["down", "--all"]);
        assert_eq!(down.code, 4, "{down:?}");
        for text in ["log group FisStopTaskStack-seat-01-OriginalLogGroup-ABC", insights] {
            assert!(down.stdout.contains(text), "{down:?}");
        }
        assert!(down.stderr.contains("error: 2 resources have survived."), "{down:?}");
        assert!(down.stderr.contains("hint: Repeat `fis-workshop down --all`;"), "{down:?}");
    }
}

/// Its stack went without it, long ago.
#[test]
fn what_bears_the_tag_of_an_environment_that_is_no_more_is_found() {
    let sandbox = Sandbox::with_endpoint();
    let aws = Terminal::of(&sandbox);
    aws.ok("aws dynamodb create-table --table-name orphan --billing-mode PAY_PER_REQUEST \
            --attribute-definitions AttributeName=k,AttributeType=S --key-schema AttributeName=k,KeyType=HASH \
            --tags Key=fis-workshop:environment,Value=seat-33");
    for args in [&["down", "--all"][..], &["down", "--env", "seat-33"], &["down", "--env", "seat-99"]] {
        let down = sandbox.run(args);
        assert_eq!(down.code, 4, "{args:?}: {down:?}");
        assert!(down.stdout.contains("Still there:\n  table orphan\n"), "{args:?}: {down:?}");
    }
    aws.ok("aws dynamodb delete-table --table-name orphan");
    let down = sandbox.run(&["down", "--env", "seat-99"]);
    assert_eq!(
        (down.code, down.stdout.as_str()),
        (0, "There is no environment seat-99.\nNothing is left.\n"),
        "{down:?}"
    );
}

/// AWS's index of tags names what was deleted for an hour and more.
#[test]
fn what_only_the_index_of_tags_lists_is_no_survivor() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    let arns = [
        "arn:aws:dynamodb:us-east-1:000000000000:table/FisStopTaskStack-DynamoTable-0a1b2c3d",
        "arn:aws:logs:us-east-1:000000000000:log-group:FisStopTaskStack-OriginalLogGroup-X",
        "arn:aws:ec2:us-east-1:000000000000:internet-gateway/igw-0123456789abcdef0",
        "arn:aws:ecr:us-east-1:000000000000:repository/fisstackvpc-repository-x",
        "arn:aws:sns:us-east-1:000000000000:of-a-later-version",
    ];
    let hits: Vec<_> = arns.iter().map(|arn| json!({"ResourceARN": arn, "Tags": []})).collect();
    let listed = json!({"ResourceTagMappingList": hits, "PaginationToken": ""});
    let down = Proxy::of(&sandbox).scripted(&sandbox, &["down"], vec![Answer::new("tagging:GetResources", listed)]);
    assert_eq!(down.code, 0, "{down:?}");
    assert!(down.stdout.contains("AWS's index of tags still lists what was deleted"), "{down:?}");
    assert!(arns.iter().all(|arn| down.stdout.contains(arn)), "{down:?}");
    assert!(down.stdout.ends_with("Nothing is left.\n"), "{down:?}");
}

#[test]
fn an_environment_that_resists_is_one_that_stays_and_so_does_the_network() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up", "--env", "seat-01", "--env", "seat-02"]);
    let down = sandbox.ok(&["down", "--env", "seat-1"]);
    assert!(down.starts_with("There is no environment seat-1; did you mean seat-01?\n"), "{down}");
    let aws = Terminal::of(&sandbox);
    let protect = "aws cloudformation update-termination-protection --stack-name FisStopTaskStack-seat-02";
    aws.ok(&format!("{protect} --enable-termination-protection"));
    let proxy = Proxy::of(&sandbox);
    let down = Run::of(proxy.command(&sandbox, &["down", "--all"]).output().unwrap());
    assert_ne!(down.code, 0, "{down:?}");
    let stays = "The network stays for the environments that are there: seat-02; it costs about $0.05 an hour.\n";
    assert!(down.stdout.contains(stays), "{down:?}");
    let down = sandbox.run(&["down", "--all", "--output", "json"]);
    let found: serde_json::Value = serde_json::from_str(&down.stdout).unwrap();
    assert_eq!(found["remaining_environments"], json!(["seat-02"]), "{found}");
    aws.ok(&format!("{protect} --no-enable-termination-protection"));
    assert_eq!(sandbox.json(&["down", "--all"])["survivors"], json!([]));
}
