//! Roles through CloudFormation.

use aws_sdk_cloudformation::Client;

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
    use aws_sdk_iam::error::ProvideErrorMetadata;

    let endpoint = Endpoint::start().await;
    let iam = aws_sdk_iam::Client::new(&endpoint.sdk_config());
    let missing = iam.get_role().role_name("AWSServiceRoleForECS").send().await.unwrap_err();
    assert_eq!(missing.code(), Some("NoSuchEntity"));
    let create = |service: &str| iam.create_service_linked_role().aws_service_name(service).send();
    let made = create("fis.amazonaws.com").await.unwrap().role.unwrap();
    assert_eq!(made.arn(), "arn:aws:iam::000000000000:role/aws-service-role/fis.amazonaws.com/AWSServiceRoleForFIS");
    let again = create("fis.amazonaws.com").await.unwrap_err();
    assert_eq!(again.code(), Some("InvalidInput"));
    assert_eq!(
        again.message(),
        Some("Service role name AWSServiceRoleForFIS has been taken in this account, please try a different suffix.")
    );
    assert_eq!(create("s3.amazonaws.com").await.unwrap_err().code(), Some("InvalidInput"));
    let ecs = aws_sdk_ecs::Client::new(&endpoint.sdk_config());
    ecs.create_cluster().cluster_name("c").send().await.unwrap();
    let role = iam.get_role().role_name("AWSServiceRoleForECS").send().await.unwrap().role.unwrap();
    assert_eq!(role.path(), "/aws-service-role/ecs.amazonaws.com/");
    assert!(create("ecs.amazonaws.com").await.is_err());
    endpoint.stop().await;
}

#[tokio::test]
async fn a_simulation_says_what_a_principal_may_do() {
    use aws_sdk_iam::error::ProvideErrorMetadata;
    use aws_sdk_iam::types::PolicyEvaluationDecisionType::{Allowed, ExplicitDeny, ImplicitDeny};

    let endpoint = Endpoint::start().await;
    let client = Client::new(&endpoint.sdk_config());
    assert_eq!(create(&client, "Roles", &ROLE.replace("ACTION", "dynamodb:*"), &[]).await, "CREATE_COMPLETE");
    let role = outputs(&client, "Roles").await["Arn"].clone();
    let iam = aws_sdk_iam::Client::new(&endpoint.sdk_config());
    let simulate = async |arn: &str| {
        let actions = ["dynamodb:PutItem", "dynamodb:DeleteItem", "ecs:StopTask"].map(str::to_owned).to_vec();
        let request = iam.simulate_principal_policy().policy_source_arn(arn).set_action_names(Some(actions));
        let results = request.send().await.unwrap().evaluation_results.unwrap();
        results.into_iter().map(|it| it.eval_decision).collect::<Vec<_>>()
    };
    assert_eq!(simulate(&role).await, [Allowed, ExplicitDeny, ImplicitDeny]);
    let sts = aws_sdk_sts::Client::new(&endpoint.sdk_config());
    let owner = sts.get_caller_identity().send().await.unwrap().arn.unwrap();
    assert_eq!(simulate(&owner).await, [Allowed, Allowed, Allowed]);
    let nobody = iam.simulate_principal_policy().policy_source_arn(format!("{role}x")).action_names("a:b");
    assert_eq!(nobody.send().await.unwrap_err().code(), Some("NoSuchEntity"));
    let wrong = iam.simulate_principal_policy().policy_source_arn(&owner).action_names("StopTask").send().await;
    assert_eq!(wrong.unwrap_err().code(), Some("InvalidInput"));
    endpoint.stop().await;
}
