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
