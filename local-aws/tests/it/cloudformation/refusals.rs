//! What is refused before anything is made, through the front door.

use super::*;

/// What ValidateTemplate says against it.
async fn invalid(client: &Client, body: &str) -> String {
    message(&client.validate_template().template_body(body).send().await.unwrap_err())
}

#[tokio::test]
async fn aliases_are_refused_and_leading_zeros_read_as_on_aws() {
    let (_endpoint, client) = start().await;
    let aliased = "Resources:\n  A: &a {Type: AWS::Logs::LogGroup}\n  B: *a\n";
    let words = "ValidationError: Template error: YAML aliases are not allowed in CloudFormation templates";
    assert_eq!(invalid(&client, aliased).await, words);
    let create = client.create_stack().stack_name("Lab").template_body(aliased).send().await;
    assert_eq!(message(&create.unwrap_err()), words);
    let body = "Parameters: {Account: {Type: String, Default: 012345678901}}\nResources:\n  A:\n    \
                Type: AWS::Logs::LogGroup\n    Properties: {LogGroupName: 065115117704}\nOutputs:\n  \
                Name: {Value: !Ref A}\n  Account: {Value: !Ref Account}\n  Joined: {Value: !Sub ['${X}', {X: 0777}]}\n";
    let stack = created(&client, "Lab", body).await;
    assert_eq!(output(&stack, "Name"), "7133765572");
    assert_eq!(output(&stack, "Account"), "1.2345678901E10");
    assert_eq!(output(&stack, "Joined"), "511");
}
