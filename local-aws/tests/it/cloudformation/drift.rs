//! What somebody has changed or deleted without CloudFormation: found, shown, and put back.

mod network;

use serde_json::{Value, json};

use crate::boto::Boto;
use crate::harness::{Endpoint, until};

/// A stack `Lab` with a table, what reads its name, and things that can be changed in many ways.
const TEMPLATE: &str = "
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: Id, AttributeType: S}]
      KeySchema: [{AttributeName: Id, KeyType: HASH}]
      DeletionProtectionEnabled: false
      Tags: [{Key: team, Value: a}]
  Group:
    Type: AWS::Logs::LogGroup
    Properties: {RetentionInDays: 30}
  Cluster:
    Type: AWS::ECS::Cluster
    Properties: {ClusterName: Fixed}
  Repository:
    Type: AWS::ECR::Repository
    Properties: {ImageTagMutability: IMMUTABLE, EmptyOnDelete: true}
Outputs:
  TableName: {Value: !Ref Table}
  GroupName: {Value: !Ref Group}
  RepositoryName: {Value: !Ref Repository}
";

/// An endpoint with the stack, and botocore as the one who changes things.
struct Lab {
    endpoint: Endpoint,
    boto: Boto,
    sets: usize,
}

impl Lab {
    async fn with(template: &str) -> Self {
        Self::on(Endpoint::start().await, template).await
    }

    async fn on(endpoint: Endpoint, template: &str) -> Self {
        let mut boto = Boto::start(endpoint.variables());
        let create = json!({"StackName": "Lab", "TemplateBody": template, "Capabilities": ["CAPABILITY_IAM"]});
        boto.call("cloudformation", "CreateStack", &create).unwrap();
        let mut lab = Self { endpoint, boto, sets: 0 };
        assert_eq!(lab.settled().await["StackStatus"], "CREATE_COMPLETE");
        lab
    }

    fn call(&mut self, operation: &str, input: &Value) -> Value {
        self.boto.call("cloudformation", operation, input).unwrap()
    }

    fn refused(&mut self, operation: &str, input: &Value) -> String {
        self.boto.call("cloudformation", operation, input).unwrap_err().message
    }

    /// Changes something without CloudFormation.
    fn by_hand(&mut self, service: &str, operation: &str, input: &Value) {
        self.boto.call(service, operation, input).unwrap();
    }

    fn stack(&mut self) -> Value {
        self.call("DescribeStacks", &json!({"StackName": "Lab"}))["Stacks"][0].take()
    }

    async fn settled(&mut self) -> Value {
        until("the end of the operation", async || {
            let stack = self.stack();
            (!stack["StackStatus"].as_str().unwrap().ends_with("_IN_PROGRESS")).then_some(stack)
        })
        .await
    }

    fn output(&mut self, key: &str) -> String {
        let stack = self.stack();
        let outputs = stack["Outputs"].as_array().unwrap();
        outputs.iter().find(|it| it["OutputKey"] == key).unwrap()["OutputValue"].as_str().unwrap().to_owned()
    }

    /// Detects drift, and gives what was found by logical id.
    fn drifts(&mut self) -> Value {
        let id = self.call("DetectStackDrift", &json!({"StackName": "Lab"}));
        let status = self.call("DescribeStackDriftDetectionStatus", &id);
        assert_eq!(status["DetectionStatus"], "DETECTION_COMPLETE", "{status}");
        let mut drifts = self.call("DescribeStackResourceDrifts", &json!({"StackName": "Lab"}));
        let all = drifts["StackResourceDrifts"].as_array_mut().unwrap().iter_mut();
        all.map(|drift| (drift["LogicalResourceId"].as_str().unwrap().to_owned(), drift.take())).collect()
    }

    /// A change set that reverts drift.
    fn set(&mut self, template: &str) -> Value {
        self.sets += 1;
        let name = format!("set-{}", self.sets);
        let create = json!({"StackName": "Lab", "ChangeSetName": name, "TemplateBody": template,
            "DeploymentMode": "REVERT_DRIFT", "Capabilities": ["CAPABILITY_IAM"]});
        let id = self.call("CreateChangeSet", &create)["Id"].take();
        self.call("DescribeChangeSet", &json!({"ChangeSetName": id, "IncludePropertyValues": true}))
    }

    async fn execute(&mut self, set: &Value) -> Value {
        assert_eq!(set["ExecutionStatus"], "AVAILABLE", "{set}");
        self.call("ExecuteChangeSet", &json!({"ChangeSetName": set["ChangeSetId"]}));
        self.settled().await
    }

    /// Nothing is left to put back.
    fn is_in_sync(&mut self, template: &str) {
        let drifts = self.drifts();
        let statuses: Vec<_> = drifts.as_object().unwrap().values().map(|it| &it["StackResourceDriftStatus"]).collect();
        assert!(statuses.iter().all(|status| **status == "IN_SYNC"), "{drifts:#}");
        let set = self.set(template);
        assert_eq!(
            (set["Status"].as_str(), set["StatusReason"].as_str(), &set["StackDriftStatus"]),
            (
                Some("FAILED"),
                Some(
                    "The submitted information didn't contain changes. Submit different information to create a change set."
                ),
                &json!("IN_SYNC")
            )
        );
    }
}

/// The change of this resource.
fn change(set: &Value, logical_id: &str) -> Value {
    let changes = set["Changes"].as_array().unwrap().iter().map(|it| &it["ResourceChange"]);
    changes.into_iter().find(|it| it["LogicalResourceId"] == logical_id).cloned().unwrap_or_default()
}

#[tokio::test]
async fn what_was_changed_by_hand_is_found_and_put_back() {
    let mut lab = Lab::with(TEMPLATE).await;
    assert_eq!(lab.stack()["DriftInformation"], json!({"StackDriftStatus": "NOT_CHECKED"}));
    lab.is_in_sync(TEMPLATE);
    let (table, group, repository) = (lab.output("TableName"), lab.output("GroupName"), lab.output("RepositoryName"));
    lab.by_hand("dynamodb", "UpdateTable", &json!({"TableName": table, "DeletionProtectionEnabled": true}));
    let arn =
        lab.boto.call("dynamodb", "DescribeTable", &json!({"TableName": table})).unwrap()["Table"]["TableArn"].take();
    let tags = json!([{"Key": "team", "Value": "b"}, {"Key": "owner", "Value": "somebody"}]);
    lab.by_hand("dynamodb", "TagResource", &json!({"ResourceArn": arn, "Tags": tags}));
    lab.by_hand("logs", "PutRetentionPolicy", &json!({"logGroupName": group, "retentionInDays": 7}));
    let mutable = json!({"repositoryName": repository, "imageTagMutability": "MUTABLE"});
    lab.by_hand("ecr", "PutImageTagMutability", &mutable);

    let drifts = lab.drifts();
    assert_eq!(drifts["Cluster"]["StackResourceDriftStatus"], "IN_SYNC");
    assert_eq!(
        drifts["Table"]["PropertyDifferences"],
        json!([
            {"PropertyPath": "/DeletionProtectionEnabled", "ExpectedValue": "false", "ActualValue": "true", "DifferenceType": "NOT_EQUAL"},
            {"PropertyPath": "/Tags/0/Value", "ExpectedValue": "a", "ActualValue": "b", "DifferenceType": "NOT_EQUAL"},
        ])
    );
    let actual: Value = serde_json::from_str(drifts["Group"]["ActualProperties"].as_str().unwrap()).unwrap();
    assert_eq!(actual, json!({"RetentionInDays": 7}));
    assert_eq!(lab.stack()["DriftInformation"]["StackDriftStatus"], "DRIFTED");
    let shown = lab.call("DescribeStackResource", &json!({"StackName": "Lab", "LogicalResourceId": "Group"}));
    assert_eq!(shown["StackResourceDetail"]["DriftInformation"]["StackResourceDriftStatus"], "MODIFIED");

    let set = lab.set(TEMPLATE);
    assert_eq!((&set["DeploymentMode"], &set["StackDriftStatus"]), (&json!("REVERT_DRIFT"), &json!("DRIFTED")));
    assert_eq!(set["Changes"].as_array().unwrap().len(), 3, "{set:#}");
    let of_group = change(&set, "Group");
    assert_eq!((&of_group["Action"], &of_group["ResourceDriftStatus"]), (&json!("Modify"), &json!("MODIFIED")));
    let target = &of_group["Details"][0]["Target"];
    assert_eq!(
        (&target["Path"], &target["BeforeValue"], &target["AfterValue"], &target["BeforeValueFrom"]),
        (&json!("/Properties/RetentionInDays"), &json!("7"), &json!("30"), &json!("ACTUAL_STATE"))
    );
    assert_eq!((&target["Drift"]["PreviousValue"], &target["Drift"]["ActualValue"]), (&json!("30"), &json!("7")));
    let ignored = json!([{"Path": "/Properties/EmptyOnDelete", "Reason": "WRITE_ONLY_PROPERTY"}]);
    assert_eq!(change(&set, "Repository")["ResourceDriftIgnoredAttributes"], ignored);

    assert_eq!(lab.execute(&set).await["StackStatus"], "UPDATE_COMPLETE");
    lab.is_in_sync(TEMPLATE);
    // A key that the template does not have is nobody's to take away.
    let tags = lab.boto.call("dynamodb", "ListTagsOfResource", &json!({"ResourceArn": arn})).unwrap();
    let tags = tags["Tags"].as_array().unwrap();
    assert!(tags.contains(&json!({"Key": "owner", "Value": "somebody"})), "{tags:?}");
    assert!(tags.contains(&json!({"Key": "team", "Value": "a"})), "{tags:?}");
}

#[tokio::test]
async fn what_was_deleted_by_hand_is_made_again_and_what_uses_it_follows() {
    let template = TEMPLATE.to_owned() + "  Cluster: {Value: !Ref Cluster}\n" + "Conditions: {}\n";
    let user =
        "  User:\n    Type: AWS::Logs::LogGroup\n    Properties: {Tags: [{Key: of, Value: !Ref Table}]}\nOutputs:";
    let template = template.replace("Outputs:", user).replace("Conditions: {}\n", "");
    let mut lab = Lab::with(&template).await;
    let (table, repository) = (lab.output("TableName"), lab.output("RepositoryName"));
    lab.by_hand("dynamodb", "DeleteTable", &json!({"TableName": table}));
    lab.by_hand("ecs", "DeleteCluster", &json!({"cluster": "Fixed"}));
    lab.by_hand("ecr", "DeleteRepository", &json!({"repositoryName": repository}));
    let drifts = lab.drifts();
    for gone in ["Table", "Cluster", "Repository"] {
        assert_eq!(drifts[gone]["StackResourceDriftStatus"], "DELETED", "{gone}");
        assert!(drifts[gone].get("ActualProperties").is_none(), "{}", drifts[gone]);
    }
    let set = lab.set(&template);
    for gone in ["Table", "Cluster", "Repository"] {
        let change = change(&set, gone);
        assert_eq!((&change["Action"], &change["ResourceDriftStatus"]), (&json!("Add"), &json!("DELETED")), "{gone}");
    }
    let user = change(&set, "User");
    assert_eq!((&user["Action"], &user["Replacement"]), (&json!("Modify"), &json!("False")), "{user:#}");
    assert_eq!(lab.execute(&set).await["StackStatus"], "UPDATE_COMPLETE");
    let again = lab.output("TableName");
    assert_ne!(again, table);
    lab.boto.call("dynamodb", "DescribeTable", &json!({"TableName": again})).unwrap();
    lab.is_in_sync(&template);
    // An ordinary set after it finds nothing, either.
    let ordinary = json!({"StackName": "Lab", "ChangeSetName": "ordinary", "TemplateBody": template});
    let id = lab.call("CreateChangeSet", &ordinary)["Id"].take();
    assert_eq!(lab.call("DescribeChangeSet", &json!({"ChangeSetName": id}))["Status"], "FAILED");
    lab.call("DeleteStack", &json!({"StackName": "Lab"}));
    let tables = until("the table goes", async || {
        let tables = lab.boto.call("dynamodb", "ListTables", &json!({})).unwrap();
        (tables["TableNames"] == json!([])).then_some(tables)
    });
    tables.await;
}

#[tokio::test]
async fn a_template_that_says_what_somebody_did_changes_the_record_alone() {
    let mut lab = Lab::with(TEMPLATE).await;
    let group = lab.output("GroupName");
    lab.by_hand("logs", "PutRetentionPolicy", &json!({"logGroupName": group, "retentionInDays": 7}));
    let template = TEMPLATE.replace("RetentionInDays: 30", "RetentionInDays: 7");
    let set = lab.set(&template);
    let group = change(&set, "Group");
    assert_eq!(group["Action"], "SyncWithActual", "{set:#}");
    assert_eq!(group["Details"][0]["ChangeSource"], "NoModification");
    assert_eq!(lab.execute(&set).await["StackStatus"], "UPDATE_COMPLETE");
    lab.is_in_sync(&template);
    // And back, with what was done by hand and by the template in one change.
    let set = lab.set(TEMPLATE);
    let target = change(&set, "Group")["Details"][0]["Target"].take();
    assert_eq!((&target["BeforeValue"], &target["AfterValue"]), (&json!("7"), &json!("30")));
}

#[tokio::test]
async fn a_repair_that_fails_leaves_the_stack_as_it_was_found() {
    let mut lab = Lab::with(TEMPLATE).await;
    let group = lab.output("GroupName");
    lab.by_hand("logs", "PutRetentionPolicy", &json!({"logGroupName": group, "retentionInDays": 7}));
    lab.by_hand("ecs", "DeleteCluster", &json!({"cluster": "Fixed"}));
    let failing = "  Bad:\n    Type: AWS::EC2::Subnet\n    DependsOn: [Cluster, Group]\n    Properties: {VpcId: vpc-0, \
                   CidrBlock: 10.0.0.0/24}\nOutputs:";
    let set = lab.set(&TEMPLATE.replace("Outputs:", failing));
    assert_eq!(lab.execute(&set).await["StackStatus"], "UPDATE_ROLLBACK_COMPLETE");
    let groups = lab.boto.call("logs", "DescribeLogGroups", &json!({})).unwrap();
    assert_eq!(groups["logGroups"][0]["retentionInDays"], 7);
    let clusters = lab.boto.call("ecs", "DescribeClusters", &json!({"clusters": ["Fixed"]})).unwrap();
    assert!(clusters["clusters"].as_array().unwrap().iter().all(|it| it["status"] == "INACTIVE"), "{clusters}");
    // The next one goes on from there.
    let set = lab.set(TEMPLATE);
    assert_eq!(change(&set, "Cluster")["Action"], "Add", "{set:#}");
    assert_eq!(lab.execute(&set).await["StackStatus"], "UPDATE_COMPLETE");
    lab.is_in_sync(TEMPLATE);
}

#[tokio::test]
async fn what_cannot_be_combined_or_does_not_exist_is_refused() {
    let mut lab = Lab::with(TEMPLATE).await;
    let base =
        json!({"StackName": "Lab", "ChangeSetName": "x", "TemplateBody": TEMPLATE, "DeploymentMode": "REVERT_DRIFT"});
    let with = |member: &str, value: Value| {
        let mut input = base.clone();
        input[member] = value;
        input
    };
    for (input, words) in [
        (
            with("OnStackFailure", json!("DO_NOTHING")),
            "DeploymentMode=REVERT_DRIFT is supported only with OnStackFailure=ROLLBACK.",
        ),
        (
            with("IncludeNestedStacks", json!(true)),
            "DeploymentMode=REVERT_DRIFT is not supported with IncludeNestedStacks.",
        ),
        (
            with("ImportExistingResources", json!(true)),
            "DeploymentMode=REVERT_DRIFT is not supported with ImportExistingResources.",
        ),
    ] {
        assert_eq!(lab.refused("CreateChangeSet", &input), words);
    }
    let mut create = with("ChangeSetType", json!("CREATE"));
    create["StackName"] = json!("New");
    let words = "DeploymentMode=REVERT_DRIFT is supported only for change sets of type UPDATE.";
    assert_eq!(lab.refused("CreateChangeSet", &create), words);
    let unknown = lab.refused("DescribeStackDriftDetectionStatus", &json!({"StackDriftDetectionId": "none"}));
    assert_eq!(unknown, "Drift detection with id [none] does not exist");
    let resource = json!({"StackName": "Lab", "LogicalResourceId": "None"});
    assert_eq!(lab.refused("DetectStackResourceDrift", &resource), "Resource None does not exist for stack Lab");
    // A change set is a look at what there was; an ordinary one sees no drift.
    let group = lab.output("GroupName");
    lab.by_hand("logs", "PutRetentionPolicy", &json!({"logGroupName": group, "retentionInDays": 7}));
    let mut ordinary = base.clone();
    ordinary.as_object_mut().unwrap().remove("DeploymentMode");
    let id = lab.call("CreateChangeSet", &ordinary)["Id"].take();
    let set = lab.call("DescribeChangeSet", &json!({"ChangeSetName": id}));
    assert_eq!((&set["Status"], set.get("DeploymentMode")), (&json!("FAILED"), None), "{set}");
}

#[tokio::test]
async fn a_drifted_resource_that_would_be_replaced_is_refused_by_the_change_set() {
    let mut lab = Lab::with(TEMPLATE).await;
    let group = lab.output("GroupName");
    lab.by_hand("logs", "PutRetentionPolicy", &json!({"logGroupName": group, "retentionInDays": 7}));
    let set = lab.set(&TEMPLATE.replace("RetentionInDays: 30", "RetentionInDays: 30, LogGroupName: other"));
    assert_eq!(
        set["StatusReason"],
        "The submitted information requires replacement of drifted resources, which is not supported. Resolve drift before \
         changing immutable resource properties"
    );
    assert_eq!((&set["Status"], &set["ExecutionStatus"]), (&json!("FAILED"), &json!("UNAVAILABLE")));
}

/// With the times of AWS, a detection goes on for a while.
#[tokio::test]
async fn a_detection_at_a_time_and_only_of_a_stack_that_is_complete() {
    let latency = local_aws::Latency::aws(10.0).unwrap();
    let endpoint = Endpoint::start_with(local_aws::Options { latency, ..local_aws::Options::default() }).await;
    let template = "{\"Resources\": {\"Group\": {\"Type\": \"AWS::Logs::LogGroup\"}}}";
    let mut lab = Lab::on(endpoint, template).await;
    let id = lab.call("DetectStackDrift", &json!({"StackName": "Lab"}));
    let under_way = lab.call("DescribeStackDriftDetectionStatus", &id);
    assert_eq!(under_way["DetectionStatus"], "DETECTION_IN_PROGRESS", "{under_way}");
    assert!(under_way.get("DriftedStackResourceCount").is_none(), "{under_way}");
    let second = lab.refused("DetectStackDrift", &json!({"StackName": "Lab"}));
    assert!(
        second.starts_with("Drift detection is already in progress for stack [arn:aws:cloudformation:"),
        "{second}"
    );
    until("it is over", async || {
        let status = lab.call("DescribeStackDriftDetectionStatus", &id);
        (status["DetectionStatus"] == "DETECTION_COMPLETE").then_some(())
    })
    .await;
    let over = lab.call("DescribeStackDriftDetectionStatus", &id);
    assert_eq!((&over["StackDriftStatus"], &over["DriftedStackResourceCount"]), (&json!("IN_SYNC"), &json!(0)));
    let failing = "{\"Resources\": {\"A\": {\"Type\": \"AWS::EC2::Subnet\", \"Properties\": {\"VpcId\": \"vpc-0\", \
                   \"CidrBlock\": \"10.0.0.0/24\"}}}}";
    lab.call("CreateStack", &json!({"StackName": "Failed", "TemplateBody": failing}));
    until("it is rolled back", async || {
        let stack = lab.call("DescribeStacks", &json!({"StackName": "Failed"}));
        (stack["Stacks"][0]["StackStatus"] == "ROLLBACK_COMPLETE").then_some(())
    })
    .await;
    let refused = lab.refused("DetectStackDrift", &json!({"StackName": "Failed"}));
    assert!(refused.starts_with("Drift detection cannot be performed on stack [arn:"), "{refused}");
    assert!(refused.ends_with("] while it is in [ROLLBACK_COMPLETE] state"), "{refused}");
}

/// What a change set has found is on the disk, and so is how far its execution is.
#[tokio::test]
async fn an_endpoint_that_is_restarted_puts_back_what_its_predecessor_found() {
    let mut lab = Lab::with(TEMPLATE).await;
    let group = lab.output("GroupName");
    lab.by_hand("logs", "PutRetentionPolicy", &json!({"logGroupName": group, "retentionInDays": 7}));
    lab.by_hand("ecs", "DeleteCluster", &json!({"cluster": "Fixed"}));
    let set = lab.set(TEMPLATE);
    let endpoint = lab.endpoint.restart().await;
    let mut lab = Lab { boto: Boto::start(endpoint.variables()), endpoint, sets: lab.sets };
    assert_eq!(lab.execute(&set).await["StackStatus"], "UPDATE_COMPLETE");
    lab.is_in_sync(TEMPLATE);
}
