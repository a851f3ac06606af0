use std::collections::BTreeMap;

use serde_json::json;

use super::role::{Role, Settings};
use super::{Principal, allows_service, assume, authorize, check_resource_policy};
use crate::endpoint::Endpoint;

const SOURCE: &str = "arn:aws:fis:us-east-1:000000000000:experiment/EXP1";

fn endpoint() -> (tempfile::TempDir, Endpoint) {
    let dir = tempfile::tempdir().unwrap();
    let endpoint = Endpoint::open(dir.path(), "http://127.0.0.1:1".into(), crate::Options::default()).unwrap();
    (dir, endpoint)
}

fn settings() -> Settings {
    Settings {
        trust_policy: json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": {"Service": "fis.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": "000000000000"},
                "ArnLike": {"aws:SourceArn": "arn:aws:fis:us-east-1:000000000000:experiment/*"}
            }
        }]}),
        description: None,
        max_session_duration: 3600,
        attached: Vec::new(),
        tags: BTreeMap::new(),
    }
}

#[test]
fn a_trust_policy_admits_its_service_for_its_source_only() {
    let (_dir, endpoint) = endpoint();
    let role = endpoint.store.write(|tx| Role::create(&endpoint, tx, "R", "/", settings())).unwrap();
    let assume =
        |arn: &str, service: &str, source: &str| endpoint.store.read(|tx| assume(&endpoint, tx, arn, service, source));
    assert_eq!(assume(&role.arn, "fis.amazonaws.com", SOURCE), Ok(()));
    for (arn, service, source) in [
        (role.arn.as_str(), "ecs-tasks.amazonaws.com", SOURCE),
        (role.arn.as_str(), "fis.amazonaws.com", "arn:aws:fis:us-east-1:000000000000:experiment-template/EXT1"),
        ("arn:aws:iam::000000000000:role/other", "fis.amazonaws.com", SOURCE),
        ("arn:aws:iam::111111111111:role/R", "fis.amazonaws.com", SOURCE),
    ] {
        assert_eq!(assume(arn, service, source).unwrap_err().code, "AccessDenied");
    }
}

#[test]
fn inline_and_managed_policies_together_say_what_a_role_may_do() {
    let (_dir, endpoint) = endpoint();
    let ecs = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy".to_owned();
    let arn = endpoint
        .store
        .write(|tx| {
            let mut role = Role::create(&endpoint, tx, "R", "/p/", Settings { attached: vec![ecs], ..settings() })?;
            let put = json!({"Statement": {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "arn:aws:dynamodb:*:*:table/T"}});
            role.put_policy("P", &put)?;
            tx.put(&role)?;
            Ok(role.arn)
        })
        .unwrap();
    assert_eq!(arn, "arn:aws:iam::000000000000:role/p/R");
    let may = |action: &str, resource: &str| {
        let context = BTreeMap::from([("sts:RoleSessionName".to_owned(), "task1".to_owned())]);
        endpoint.store.read(|tx| authorize(tx, &arn, action, resource, &context))
    };
    let table = "arn:aws:dynamodb:us-east-1:000000000000:table/T";
    assert_eq!(may("dynamodb:PutItem", table), Ok(()));
    assert_eq!(may("logs:PutLogEvents", "*"), Ok(()));
    let error = may("dynamodb:Query", table).unwrap_err();
    assert_eq!(error.code, "AccessDeniedException");
    assert_eq!(
        error.message,
        "User: arn:aws:sts::000000000000:assumed-role/R/task1 is not authorized to perform: dynamodb:Query on resource: arn:aws:dynamodb:us-east-1:000000000000:table/T because no identity-based policy allows the dynamodb:Query action"
    );
}

#[test]
fn names_are_unique_without_regard_to_case_and_policies_keep_a_role() {
    let (_dir, endpoint) = endpoint();
    endpoint.store.write(|tx| Role::create(&endpoint, tx, "Name", "/", settings())).unwrap();
    let again = endpoint.store.write(|tx| Role::create(&endpoint, tx, "NAME", "/", settings())).unwrap_err();
    assert_eq!((again.code.as_str(), again.status), ("EntityAlreadyExists", 409));
    let kept = endpoint.store.write(|tx| {
        let mut role = Role::named(tx, "Name")?;
        role.put_policy("P", &json!({"Statement": {"Effect": "Allow", "Action": "a:b", "Resource": "*"}}))?;
        role.delete(tx)
    });
    assert_eq!(kept.unwrap_err().code, "DeleteConflict");
}

#[test]
fn a_resource_s_policy_admits_a_service_for_its_source_only() {
    let queue = "arn:aws:sqs:us-east-1:000000000000:q";
    let rule = "arn:aws:events:us-east-1:000000000000:rule/r";
    let policy = json!({"Version": "2012-10-17", "Id": "x", "Statement": [
        {"Sid": "from_the rule", "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
            "Action": "SQS:SendMessage", "Resource": queue, "Condition": {"ArnEquals": {"aws:SourceArn": rule}}},
        {"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue,
            "Condition": {"StringNotEquals": {"aws:SourceAccount": "000000000000"}}},
    ]});
    assert_eq!(check_resource_policy(&policy), Ok(()));
    let allows = |policy: &serde_json::Value, service: &str, source_arn: &str, action: &str, resource: &str| {
        allows_service(policy, &Principal { service, source_arn }, action, resource).unwrap()
    };
    let events = "events.amazonaws.com";
    assert!(allows(&policy, events, rule, "sqs:SendMessage", queue));
    // As it is stored.
    assert!(allows(&json!(policy.to_string()), events, rule, "sqs:SendMessage", queue));
    assert!(!allows(&policy, "sns.amazonaws.com", rule, "sqs:SendMessage", queue));
    assert!(!allows(&policy, events, "arn:aws:events:us-east-1:000000000000:rule/s", "sqs:SendMessage", queue));
    assert!(!allows(&policy, events, rule, "sqs:ReceiveMessage", queue));
    assert!(!allows(&policy, events, rule, "sqs:SendMessage", "arn:aws:sqs:us-east-1:000000000000:p"));
    let open = json!({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}, policy["Statement"][1]]});
    assert!(!allows(&open, events, "arn:aws:events:us-east-1:111111111111:rule/r", "sqs:SendMessage", queue));
    assert!(allows(&open, events, rule, "sqs:SendMessage", queue));
}

#[test]
fn a_resource_s_policy_says_who_and_what() {
    for missing in ["Principal", "Resource", "Action"] {
        let mut statement = json!({"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"});
        statement.as_object_mut().unwrap().remove(missing);
        let refused = check_resource_policy(&json!({"Statement": [statement]})).unwrap_err();
        assert_eq!(refused.code, "MalformedPolicyDocument", "{missing}");
    }
}
