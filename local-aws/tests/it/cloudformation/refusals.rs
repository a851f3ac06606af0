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

#[tokio::test]
async fn dynamic_references_are_refused_wherever_they_come_from() {
    let (endpoint, client) = start().await;
    let group =
        |name: &str| format!("Resources:\n  G: {{Type: AWS::Logs::LogGroup, Properties: {{LogGroupName: {name}}}}}\n");
    let ssm = "'{{resolve:ssm:/a/b:1}}'";
    for body in [
        group(ssm),
        group("!Sub 'x-{{resolve:secretsmanager:s:SecretString:k}}'"),
        format!("{}Outputs: {{O: {{Value: {ssm}}}}}\n", group("g")),
        format!("{}Parameters: {{P: {{Type: String, Default: {ssm}}}}}\n", group("g")),
    ] {
        let refusal = invalid(&client, &body).await;
        assert!(refusal.contains("The dynamic reference {{resolve:s"), "{refusal}");
        assert!(refusal.contains("is not supported by the local endpoint: it has no "), "{refusal}");
    }
    // Made of a parameter, of a map, or of pieces.
    let declared = "Parameters: {P: {Type: String, Default: x}}\nMappings: {M: {a: {b: '{{resolve:ssm-secure:p}}'}}}\n";
    for (name, value) in
        [("!Ref P", "{{resolve:ssm:p}}"), ("!FindInMap [M, a, b]", "y"), ("!Sub '{{resolve:${P}:p}}'", "ssm")]
    {
        let body = declared.to_owned() + &group(name);
        let request = client.create_stack().stack_name("Lab").template_body(body).parameters(parameter("P", value));
        let refusal = message(&request.send().await.unwrap_err());
        assert!(refusal.starts_with("ValidationError: The dynamic reference {{resolve:"), "{refusal}");
    }
    assert_eq!(describe(&client, "Lab").await.unwrap_err(), "ValidationError: Stack with id Lab does not exist");
    drop(endpoint);
}

#[tokio::test]
async fn values_that_are_not_done_here_are_refused_before_anything_is_made() {
    let (_endpoint, client) = start().await;
    let task = |properties: &str| {
        format!(
            "  R: {{Type: AWS::ECS::TaskDefinition, Properties: {{Cpu: '256', Memory: '512', NetworkMode: awsvpc, {properties}}}}}"
        )
    };
    let one = "{Name: a, Image: i}";
    let cluster = |properties: &str| format!("  R: {{Type: AWS::ECS::Cluster, Properties: {{{properties}}}}}");
    let recovery = "      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}";
    for (resource, named) in [
        (table("R", recovery), "PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled with the value true"),
        (
            task(&format!(
                "RequiresCompatibilities: [FARGATE], ContainerDefinitions: [{one}, {}]",
                one.replace("Name: a", "Name: b")
            )),
            "ContainerDefinitions with more than one item",
        ),
        (task(&format!("ContainerDefinitions: [{one}]")), "RequiresCompatibilities without FARGATE"),
        (
            task(&format!("RequiresCompatibilities: [EC2], ContainerDefinitions: [{one}]")),
            "RequiresCompatibilities without FARGATE",
        ),
        (
            task(
                "RequiresCompatibilities: [FARGATE], ContainerDefinitions: [{Name: a, Image: i, DependsOn: \
                 [{ContainerName: a, Condition: START}]}]",
            ),
            "ContainerDefinitions/*/DependsOn",
        ),
        (
            task(
                "RequiresCompatibilities: [FARGATE], ContainerDefinitions: [{Name: a, Image: i, LogConfiguration: \
                 {LogDriver: splunk}}]",
            ),
            "LogConfiguration/LogDriver with the value splunk",
        ),
        (
            cluster("ClusterSettings: [{Name: containerInsights, Value: enabled}]"),
            "ClusterSettings/*/Value with the value enabled",
        ),
        (cluster("CapacityProviders: [FARGATE, FARGATE_SPOT]"), "CapacityProviders/* with the value FARGATE_SPOT"),
        (
            "  R: {Type: AWS::Logs::LogGroup, Properties: {LogGroupClass: INFREQUENT_ACCESS}}".to_owned(),
            "LogGroupClass with the value INFREQUENT_ACCESS",
        ),
        (
            "  R: {Type: AWS::ECR::Repository, Properties: {EncryptionConfiguration: {EncryptionType: KMS}}}"
                .to_owned(),
            "EncryptionConfiguration/EncryptionType with the value KMS",
        ),
    ] {
        let body = template(&resource, "");
        let refusal = message(&client.create_stack().stack_name("Lab").template_body(&body).send().await.unwrap_err());
        assert!(refusal.contains(named), "{refusal}");
        assert!(refusal.contains("is not supported by the local endpoint"), "{refusal}");
        let request = client.create_change_set().stack_name("Lab").change_set_name("c").template_body(&body);
        let set = request.change_set_type(aws_sdk_cloudformation::types::ChangeSetType::Create).send().await;
        assert!(message(&set.unwrap_err()).contains(named));
    }
    assert_eq!(describe(&client, "Lab").await.unwrap_err(), "ValidationError: Stack with id Lab does not exist");
}
