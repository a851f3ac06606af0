//! What AWS takes although it looks wrong, or means nothing here.

use serde_json::json;

use super::*;
use crate::boto::Boto;

#[tokio::test]
async fn the_same_rule_twice_is_one_rule_and_a_remark() {
    let (endpoint, client) = start().await;
    let rule = "{IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: 0.0.0.0/0}";
    let body = |rules: &str| {
        template(
            &format!(
                "  Vpc: {{Type: AWS::EC2::VPC, Properties: {{CidrBlock: 10.0.0.0/16}}}}\n  Group:\n    \
                 Type: AWS::EC2::SecurityGroup\n    Properties:\n      GroupDescription: d\n      VpcId: !Ref Vpc\n      \
                 SecurityGroupIngress: [{rules}]\n"
            ),
            "",
        )
    };
    let twice = body(&format!("{rule}, {}", rule.replace("tcp", "'6'")));
    created(&client, "Lab", &twice).await;
    let remark = "the specified rule \"peer: 0.0.0.0/0, TCP, from port: 80, to port: 80, ALLOW\" already exists";
    let story = story(&client, "Lab").await;
    assert!(story.contains(&format!("Group CREATE_COMPLETE [{remark}]")), "{story:#?}");
    let described = client.describe_stack_resources().stack_name("Lab").send().await.unwrap();
    let group = described.stack_resources().iter().find(|it| it.logical_resource_id() == Some("Group")).unwrap();
    assert_eq!(group.resource_status_reason(), Some(remark));
    let mut boto = Boto::start(endpoint.variables());
    let mut rules = || {
        let answer = boto.call("ec2", "DescribeSecurityGroupRules", &json!({})).unwrap();
        let all = answer["SecurityGroupRules"].as_array().unwrap();
        all.iter().filter(|it| it["IsEgress"] == false && it["FromPort"] == 80).count()
    };
    assert_eq!(rules(), 1);
    // One of the two goes, and the rule stays; both go, and it goes.
    for (rules_wanted, left) in [(rule, 1), ("", 0)] {
        client.update_stack().stack_name("Lab").template_body(body(rules_wanted)).send().await.unwrap();
        assert_eq!(status(&settled(&client, "Lab").await), "UPDATE_COMPLETE");
        assert_eq!(rules(), left);
    }
}

/// A role with these further properties (YAML, six blanks deep).
fn role(more: &str) -> String {
    format!(
        "Resources:\n  Role:\n    Type: AWS::IAM::Role\n    Properties:\n      AssumeRolePolicyDocument: {{Statement: [{{Effect: \
         Allow, Principal: {{Service: ecs-tasks.amazonaws.com}}, Action: sts:AssumeRole}}]}}\n{more}\nOutputs: {{Arn: \
         {{Value: !GetAtt Role.Arn}}}}\n"
    )
}

async fn created_role(client: &Client, more: &str) -> String {
    let request = client.create_stack().stack_name("Roles").template_body(role(more));
    request.capabilities(aws_sdk_cloudformation::types::Capability::CapabilityIam).send().await.unwrap();
    let stack = settled(client, "Roles").await;
    assert_eq!(status(&stack), "CREATE_COMPLETE", "{:#?}", story(client, "Roles").await);
    output(&stack, "Arn").to_owned()
}

fn simulated(boto: &mut Boto, role: &str, action: &str) -> Result<String, String> {
    let input = json!({"PolicySourceArn": role, "ActionNames": [action]});
    let answer = boto.call("iam", "SimulatePrincipalPolicy", &input).map_err(|refusal| refusal.message)?;
    Ok(answer["EvaluationResults"][0]["EvalDecision"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn keys_of_other_services_are_in_no_request() {
    let (endpoint, client) = start().await;
    let statement = |action: &str, condition: &str| {
        format!("{{Effect: Allow, Action: '{action}', Resource: '*', Condition: {condition}}}")
    };
    let statements = [
        statement("dynamodb:PutItem", "{StringEquals: {'s3:ResourceAccount': '1'}}"),
        statement("dynamodb:GetItem", "{StringEqualsIfExists: {'ec2:ResourceTag/Name': x}}"),
        statement("dynamodb:Query", "{StringNotEquals: {'kms:ViaService': x}}"),
        statement("dynamodb:Scan", "{'Null': {'s3:ResourceAccount': 'false'}}"),
    ];
    let policy =
        format!("      Policies: [{{PolicyName: P, PolicyDocument: {{Statement: [{}]}}}}]", statements.join(", "));
    let role = created_role(&client, &policy).await;
    let mut boto = Boto::start(endpoint.variables());
    for (action, decision) in
        [("PutItem", "implicitDeny"), ("GetItem", "allowed"), ("Query", "allowed"), ("Scan", "implicitDeny")]
    {
        assert_eq!(simulated(&mut boto, &role, &format!("dynamodb:{action}")).unwrap(), decision, "{action}");
    }
}

#[tokio::test]
async fn a_managed_policy_of_aws_is_held_and_not_guessed() {
    let (endpoint, client) = start().await;
    let more = "      ManagedPolicyArns: [arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess]\n      Policies: \
                [{PolicyName: P, PolicyDocument: {Statement: [{Effect: Allow, Action: 'dynamodb:PutItem', Resource: '*'}, \
                {Effect: Deny, Action: 'dynamodb:DeleteItem', Resource: '*'}]}}]";
    let role = created_role(&client, more).await;
    let mut boto = Boto::start(endpoint.variables());
    assert_eq!(simulated(&mut boto, &role, "dynamodb:PutItem").unwrap(), "allowed");
    assert_eq!(simulated(&mut boto, &role, "dynamodb:DeleteItem").unwrap(), "explicitDeny");
    let refusal = simulated(&mut boto, &role, "dynamodb:GetItem").unwrap_err();
    assert!(refusal.contains("AmazonDynamoDBReadOnlyAccess"), "{refusal}");
}
