//! Roles through CloudFormation.

use aws_sdk_cloudformation::Client;
use serde_json::{Value, json};

use crate::boto::{Boto, Refusal};
use crate::harness::Endpoint;
use crate::network::{create, delete, failures, outputs, update};

const ROLE: &str = r#"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      Path: /lab/
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: ecs-tasks.amazonaws.com}, Action: sts:AssumeRole}]
      ManagedPolicyArns: [arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy]
      Policies:
        - PolicyName: Inline
          PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: ACTION, Resource: "*"}]}
  Policy:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: Apart
      Roles: [!Ref Role]
      PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Deny, Action: "dynamodb:Delete*", Resource: "*"}]}
Outputs:
  Arn: {Value: !GetAtt Role.Arn}
  Id: {Value: !GetAtt Role.RoleId}
"#;

#[tokio::test]
async fn a_role_comes_changes_and_goes_with_its_policies() {
    let endpoint = Endpoint::start().await;
    let client = Client::new(&endpoint.sdk_config());
    let template = ROLE.replace("ACTION", "dynamodb:PutItem");
    assert_eq!(
        create(&client, "Roles", &template, &[]).await,
        "CREATE_COMPLETE",
        "{:?}",
        failures(&client, "Roles").await
    );
    let before = outputs(&client, "Roles").await;
    assert!(before["Arn"].starts_with("arn:aws:iam::000000000000:role/lab/Roles-Role-"), "{before:?}");
    assert!(before["Id"].starts_with("AROA"));
    let template = ROLE.replace("ACTION", "dynamodb:Query");
    assert_eq!(update(&client, "Roles", &template, &[]).await, "UPDATE_COMPLETE");
    assert_eq!(outputs(&client, "Roles").await, before);
    assert_eq!(delete(&client, "Roles").await, "DELETE_COMPLETE", "{:?}", failures(&client, "Roles").await);
    endpoint.stop().await;
}

#[tokio::test]
async fn a_malformed_policy_fails_the_role_with_iams_words() {
    let endpoint = Endpoint::start().await;
    let client = Client::new(&endpoint.sdk_config());
    let template = ROLE.replace("ACTION", "PutItem");
    assert_eq!(create(&client, "Roles", &template, &[]).await, "ROLLBACK_COMPLETE");
    let reason = failures(&client, "Roles").await.remove("Role").unwrap();
    assert!(reason.contains("Actions/Conditions must be prefaced by a vendor"), "{reason}");
    endpoint.stop().await;
}

#[tokio::test]
async fn service_linked_roles_come_by_a_call_or_at_the_first_use() {
    let endpoint = Endpoint::start().await;
    let mut boto = Boto::start(endpoint.variables());
    let mut iam = |operation: &str, input: Value| boto.call("iam", operation, &input);
    let of_ecs = json!({"RoleName": "AWSServiceRoleForECS"});
    assert_eq!(iam("GetRole", of_ecs.clone()).unwrap_err().code, "NoSuchEntity");
    let fis = json!({"AWSServiceName": "fis.amazonaws.com"});
    let made = iam("CreateServiceLinkedRole", fis.clone()).unwrap();
    let arn = "arn:aws:iam::000000000000:role/aws-service-role/fis.amazonaws.com/AWSServiceRoleForFIS";
    assert_eq!(made["Role"]["Arn"], arn);
    let again = iam("CreateServiceLinkedRole", fis).unwrap_err();
    assert_eq!(again.code, "InvalidInput");
    assert_eq!(
        again.message,
        "Service role name AWSServiceRoleForFIS has been taken in this account, please try a different suffix."
    );
    let other = iam("CreateServiceLinkedRole", json!({"AWSServiceName": "s3.amazonaws.com"}));
    assert_eq!(other.unwrap_err().code, "InvalidInput");
    let ecs = aws_sdk_ecs::Client::new(&endpoint.sdk_config());
    ecs.create_cluster().cluster_name("c").send().await.unwrap();
    assert_eq!(iam("GetRole", of_ecs).unwrap()["Role"]["Path"], "/aws-service-role/ecs.amazonaws.com/");
    let taken = iam("CreateServiceLinkedRole", json!({"AWSServiceName": "ecs.amazonaws.com"}));
    assert_eq!(taken.unwrap_err().code, "InvalidInput");
    endpoint.stop().await;
}

#[tokio::test]
async fn a_simulation_says_what_a_principal_may_do() {
    let endpoint = Endpoint::start().await;
    let client = Client::new(&endpoint.sdk_config());
    assert_eq!(create(&client, "Roles", &ROLE.replace("ACTION", "dynamodb:*"), &[]).await, "CREATE_COMPLETE");
    let role = outputs(&client, "Roles").await["Arn"].clone();
    let mut boto = Boto::start(endpoint.variables());
    let mut simulate = |arn: &str, actions: &[&str]| {
        // Lists that are given and empty, as the AWS CLI and boto3 may send them.
        let input = json!({"PolicySourceArn": arn, "ActionNames": actions, "ContextEntries": [], "ResourceArns": []});
        let answer = boto.call("iam", "SimulatePrincipalPolicy", &input)?;
        let results = answer["EvaluationResults"].as_array().unwrap();
        Ok::<_, Refusal>(results.iter().map(|it| it["EvalDecision"].clone()).collect::<Vec<_>>())
    };
    let actions = ["dynamodb:PutItem", "dynamodb:DeleteItem", "ecs:StopTask"];
    assert_eq!(simulate(&role, &actions).unwrap(), ["allowed", "explicitDeny", "implicitDeny"]);
    let sts = aws_sdk_sts::Client::new(&endpoint.sdk_config());
    let owner = sts.get_caller_identity().send().await.unwrap().arn.unwrap();
    assert_eq!(simulate(&owner, &actions).unwrap(), ["allowed"; 3]);
    assert_eq!(simulate(&format!("{role}x"), &["a:b"]).unwrap_err().code, "NoSuchEntity");
    assert_eq!(simulate(&owner, &["StopTask"]).unwrap_err().code, "InvalidInput");
    endpoint.stop().await;
}

/// Who trusts nobody but a service, who trusts the account, and who trusts another user.
fn trusting(principals: &[(&str, Value)]) -> String {
    let role = |principal: &Value| {
        let trust = json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
        let may = json!({"Effect": "Allow", "Action": "ecs:ListClusters", "Resource": "*"});
        let document = |statement: Value| json!({"Version": "2012-10-17", "Statement": [statement]});
        json!({"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document(trust),
            "Policies": [{"PolicyName": "p", "PolicyDocument": document(may)}]}})
    };
    let roles: serde_json::Map<_, _> = principals.iter().map(|(name, who)| ((*name).to_owned(), role(who))).collect();
    let arn = |name: &str| json!({"Value": {"Fn::GetAtt": [name, "Arn"]}});
    let outputs: serde_json::Map<_, _> = principals.iter().map(|(name, _)| ((*name).to_owned(), arn(name))).collect();
    json!({"Resources": roles, "Outputs": outputs}).to_string()
}

#[tokio::test]
async fn a_role_is_assumed_by_whom_it_trusts_and_may_what_its_policies_say() {
    let endpoint = Endpoint::start().await;
    let client = Client::new(&endpoint.sdk_config());
    let template = trusting(&[
        ("Service", json!({"Service": "ecs-tasks.amazonaws.com"})),
        ("Account", json!({"AWS": "arn:aws:iam::000000000000:root"})),
        ("Other", json!({"AWS": "arn:aws:iam::000000000000:user/somebody"})),
    ]);
    assert_eq!(create(&client, "Roles", &template, &[]).await, "CREATE_COMPLETE");
    let arns = outputs(&client, "Roles").await;
    let mut boto = Boto::start(endpoint.variables());
    let mut assume = |arn: &str, more: Value| {
        let mut input = json!({"RoleArn": arn, "RoleSessionName": "me"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        boto.call("sts", "AssumeRole", &input)
    };
    for arn in [&arns["Service"], &arns["Other"], "arn:aws:iam::000000000000:role/nobody"] {
        let refusal = assume(arn, json!({})).unwrap_err();
        assert_eq!(refusal.code, "AccessDenied");
        let user = "arn:aws:iam::000000000000:user/fis-workshop";
        let words = format!("User: {user} is not authorized to perform: sts:AssumeRole on resource: {arn}");
        assert_eq!(refusal.message, words);
    }
    for more in [json!({"DurationSeconds": 899}), json!({"DurationSeconds": 7200}), json!({"RoleSessionName": "a b"})] {
        assert_eq!(assume(&arns["Account"], more).unwrap_err().code, "ValidationError");
    }
    let session = assume(&arns["Account"], json!({"DurationSeconds": 900})).unwrap();
    let text = |name: &str| session["Credentials"][name].as_str().unwrap().to_owned();
    let keys = [
        ("AWS_ACCESS_KEY_ID", text("AccessKeyId")),
        ("AWS_SECRET_ACCESS_KEY", text("SecretAccessKey")),
        ("AWS_SESSION_TOKEN", text("SessionToken")),
    ];
    let others = endpoint.variables().into_iter().filter(|(name, _)| !keys.iter().any(|(key, _)| key == name));
    let mut actor = Boto::start(others.chain(keys.clone()).collect::<Vec<_>>());
    let who = actor.call("sts", "GetCallerIdentity", &json!({})).unwrap();
    assert_eq!(who["Arn"], session["AssumedRoleUser"]["Arn"]);
    actor.call("ecs", "ListClusters", &json!({})).unwrap();
    // As each protocol puts it.
    for (service, operation, input, code) in [
        ("ecs", "DescribeClusters", json!({}), "AccessDeniedException"),
        ("cloudformation", "DescribeStacks", json!({}), "AccessDenied"),
        ("ec2", "DescribeVpcs", json!({}), "UnauthorizedOperation"),
        ("fis", "ListExperiments", json!({}), "AccessDeniedException"),
        ("logs", "DescribeLogGroups", json!({}), "AccessDeniedException"),
        ("iam", "ListRoles", json!({}), "AccessDenied"),
        ("ecr", "DescribeRepositories", json!({}), "AccessDeniedException"),
        ("resourcegroupstaggingapi", "GetResources", json!({}), "AccessDeniedException"),
        ("sts", "AssumeRole", json!({"RoleArn": arns["Account"], "RoleSessionName": "me"}), "AccessDenied"),
    ] {
        let refusal = actor.call(service, operation, &input).unwrap_err();
        assert_eq!(refusal.code, code, "{service}:{operation}: {}", refusal.message);
        assert!(refusal.message.contains("is not authorized to perform: "), "{}", refusal.message);
    }
    endpoint.stop().await;
}
