//! What a task's role may do with ECS is what its policies say.

use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_sdk_ecs::types::{ContainerOverride, PropagateTags, TaskOverride};

use crate::ecs_lab::{Lab, wait_for_stack};
use crate::harness::Endpoint;

/// Roles for tasks that look after tasks. `Restarter` may do what that takes, `Novice` may hand on no role.
const TEMPLATE: &str = r#"
Parameters: {TaskRole: {Type: String}, ExecutionRole: {Type: String}}
Resources:
  Restarter:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: ecs-tasks.amazonaws.com}, Action: "sts:AssumeRole"}]
      Policies:
        - PolicyName: restart
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Effect: Allow
                Action: "ecs:ListTasks"
                Resource: "*"
                Condition: {ArnEquals: {"ecs:cluster": !Sub "arn:aws:ecs:${AWS::Region}:${AWS::AccountId}:cluster/c"}}
              - Effect: Allow
                Action: ["ecs:DescribeTasks", "ecs:StopTask"]
                Resource: !Sub "arn:aws:ecs:${AWS::Region}:${AWS::AccountId}:task/c/*"
              - Effect: Deny
                Action: "ecs:StopTask"
                Resource: "*"
                Condition: {StringEquals: {"aws:ResourceTag/fisTarget": "true"}}
              - Effect: Allow
                Action: "ecs:RunTask"
                Resource: !Sub "arn:aws:ecs:${AWS::Region}:${AWS::AccountId}:task-definition/job:*"
              - Effect: Allow
                Action: "ecs:TagResource"
                Resource: !Sub "arn:aws:ecs:${AWS::Region}:${AWS::AccountId}:task/c/*"
                Condition: {StringEquals: {"ecs:CreateAction": RunTask}}
              - Effect: Allow
                Action: "iam:PassRole"
                Resource: [!Ref TaskRole, !Ref ExecutionRole]
                Condition: {StringEquals: {"iam:PassedToService": ecs-tasks.amazonaws.com}}
  Novice:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: ecs-tasks.amazonaws.com}, Action: "sts:AssumeRole"}]
      Policies:
        - PolicyName: run
          PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "ecs:*", Resource: "*"}]}
Outputs:
  Restarter: {Value: !GetAtt Restarter.Arn}
  Novice: {Value: !GetAtt Novice.Arn}
"#;

/// An ECS client with the credentials of a running task in this role, and the task.
async fn as_task(endpoint: &Endpoint, lab: &Lab, role: &str) -> (aws_sdk_ecs::Client, String) {
    let (config, arn) = lab.act_as_task(endpoint, role).await;
    (aws_sdk_ecs::Client::new(&config), arn)
}

/// The refusal of a call, as code and message.
macro_rules! refusal {
    ($call:expr) => {{
        let error = $call.send().await.unwrap_err();
        (error.code().unwrap_or_default().to_owned(), error.message().unwrap_or_default().to_owned())
    }};
}

fn denied(role: &str, session: &str, action: &str, resource: &str, why: &str) -> (String, String) {
    let role = role.rsplit('/').next().unwrap();
    let session = session.rsplit('/').next().unwrap();
    (
        "AccessDeniedException".to_owned(),
        format!(
            "User: arn:aws:sts::000000000000:assumed-role/{role}/{session} is not authorized to perform: {action} on resource: {resource} {why}"
        ),
    )
}

async fn roles(endpoint: &Endpoint, lab: &Lab) -> std::collections::HashMap<String, String> {
    let cloudformation = aws_sdk_cloudformation::Client::new(&endpoint.sdk_config());
    let parameter = |name: &str| {
        let value = lab.output(name);
        aws_sdk_cloudformation::types::Parameter::builder().parameter_key(name).parameter_value(value).build()
    };
    let create = cloudformation.create_stack().stack_name("roles").template_body(TEMPLATE);
    create
        .parameters(parameter("TaskRole"))
        .parameters(parameter("ExecutionRole"))
        .capabilities(aws_sdk_cloudformation::types::Capability::CapabilityIam)
        .send()
        .await
        .unwrap();
    crate::ecs_lab::outputs(&wait_for_stack(&cloudformation, "roles", "CREATE_COMPLETE").await)
}

#[tokio::test]
async fn a_role_may_do_with_tasks_what_its_policies_say() {
    let endpoint = Endpoint::start().await;
    let lab = Lab::new(&endpoint.sdk_config()).await;
    let roles = roles(&endpoint, &lab).await;
    let role = &roles["Restarter"];
    let (ecs, own) = as_task(&endpoint, &lab, role).await;
    let arn = |resource: &str| format!("arn:aws:ecs:us-east-1:000000000000:{resource}");
    let implicit = |action: &str| format!("because no identity-based policy allows the {action} action");
    let refused = |action: &str, resource: &str| denied(role, &own, action, &arn(resource), &implicit(action));

    // Allowed.
    let listed = ecs.list_tasks().cluster("c").send().await.unwrap();
    assert_eq!(listed.task_arns(), std::slice::from_ref(&own));
    let described = ecs.describe_tasks().cluster("c").tasks(&own).send().await.unwrap();
    assert_eq!(described.tasks().len(), 1);
    let run = || {
        let network = lab.network(lab.output("Subnet"), &[lab.output("Group")]);
        let container = ContainerOverride::builder().name("job").command("exec sleep 60").build();
        ecs.run_task()
            .cluster("c")
            .task_definition("job")
            .launch_type(aws_sdk_ecs::types::LaunchType::Fargate)
            .network_configuration(network)
            .overrides(TaskOverride::builder().container_overrides(container).build())
    };
    let plain = run().send().await.unwrap().tasks()[0].task_arn.clone().unwrap();
    let tagged = run().propagate_tags(PropagateTags::TaskDefinition).send().await.unwrap();
    let tagged = tagged.tasks()[0].task_arn.clone().unwrap();
    ecs.stop_task().cluster("c").task(&plain).send().await.unwrap();

    // Not mentioned: another cluster, another action.
    let other = refusal!(ecs.list_tasks().cluster("other"));
    assert_eq!(other, refused("ecs:ListTasks", "container-instance/other/*"));
    let other = refusal!(ecs.describe_tasks().cluster("other").tasks("0123"));
    assert_eq!(other, refused("ecs:DescribeTasks", "task/other/0123"));
    assert_eq!(refusal!(ecs.delete_cluster().cluster("c")), refused("ecs:DeleteCluster", "cluster/c"));
    let all = denied(role, &own, "ecs:ListClusters", "*", &implicit("ecs:ListClusters"));
    assert_eq!(refusal!(ecs.list_clusters()), all);

    // Explicitly denied.
    let why = "with an explicit deny in an identity-based policy";
    let id = tagged.rsplit('/').next().unwrap();
    let stopped = refusal!(ecs.stop_task().cluster("c").task(id));
    assert_eq!(stopped, denied(role, &own, "ecs:StopTask", &tagged, why));
    assert_eq!(lab.describe(&tagged).await.desired_status(), Some("RUNNING"));

    // Who runs a task hands its roles to it.
    let (novice, session) = as_task(&endpoint, &lab, &roles["Novice"]).await;
    let pass = refusal!(
        novice
            .run_task()
            .cluster("c")
            .task_definition("job")
            .launch_type(aws_sdk_ecs::types::LaunchType::Fargate)
            .network_configuration(lab.network(lab.output("Subnet"), &[]))
    );
    let task_role = lab.output("TaskRole");
    let missing = denied(&roles["Novice"], &session, "iam:PassRole", task_role, &implicit("iam:PassRole"));
    assert_eq!(pass, missing);
    for task in [&own, &plain, &tagged, &session] {
        lab.stop(task).await;
    }
    for task in [&own, &plain, &tagged, &session] {
        lab.stopped(task).await;
    }
}
