//! Experiment templates, and what they can be made of.

use std::collections::HashMap;

use super::lab::*;

#[tokio::test]
async fn a_template_lives_from_creation_to_deletion() {
    let lab = Lab::start().await;
    let create = || {
        lab.create("Fis")
            .client_token("t1")
            .targets("tasks", tagged(&[("a", "b")], "ALL").build().unwrap())
            .actions("Stop", stop("tasks", &[]))
            .tags("Name", "X")
            .send()
    };
    let template = create().await.unwrap().experiment_template.unwrap();
    let id = template.id().unwrap().to_owned();
    assert!(id.starts_with("EXT"), "{id}");
    let arn = format!("arn:aws:fis:us-east-1:{ACCOUNT}:experiment-template/{id}");
    assert_eq!(template.arn(), Some(arn.as_str()));
    assert_eq!(create().await.unwrap().experiment_template.unwrap().id(), Some(id.as_str()));
    let other = lab.create("Fis").client_token("t1").actions("W", wait("PT1M", &[])).send().await.unwrap_err();
    assert_eq!(other.raw_response().unwrap().status().as_u16(), 409);

    let options = UpdateExperimentTemplateExperimentOptionsInput::builder()
        .empty_target_resolution_mode(EmptyTargetResolutionMode::Skip)
        .build();
    let update = lab.fis.update_experiment_template().id(&id).description("new").experiment_options(options);
    update.send().await.unwrap();
    let read = lab.fis.get_experiment_template().id(&id).send().await.unwrap().experiment_template.unwrap();
    assert_eq!(read.description(), Some("new"));
    assert_eq!(read.targets().unwrap()["tasks"].resource_tags().unwrap()["a"], "b");
    let options = read.experiment_options().unwrap();
    assert_eq!(options.empty_target_resolution_mode(), Some(&EmptyTargetResolutionMode::Skip));
    let bad = lab.fis.update_experiment_template().id(&id).description("").send().await.unwrap_err();
    assert!(bad.into_service_error().is_validation_exception());

    lab.fis.tag_resource().resource_arn(&arn).tags("k", "v").send().await.unwrap();
    lab.fis.untag_resource().resource_arn(&arn).tag_keys("Name").send().await.unwrap();
    let tags = lab.fis.list_tags_for_resource().resource_arn(&arn).send().await.unwrap().tags.unwrap();
    assert_eq!(tags, HashMap::from([("k".to_owned(), "v".to_owned())]));
    assert_eq!(lab.fis.list_experiment_templates().send().await.unwrap().experiment_templates().len(), 1);
    lab.fis.delete_experiment_template().id(&id).send().await.unwrap();
    let gone = lab.fis.get_experiment_template().id(&id).send().await.unwrap_err();
    assert_eq!(gone.raw_response().unwrap().status().as_u16(), 404);
    assert!(gone.into_service_error().is_resource_not_found_exception());
}

#[tokio::test]
async fn templates_that_aws_refuses_are_refused() {
    let lab = Lab::start().await;
    let arn = format!("arn:aws:ecs:us-east-1:{ACCOUNT}:task/one/1");
    let refused = async |target: Option<Target>, actions: &[(&str, Action)], words: &str| {
        let mut create = lab.create("Fis");
        if let Some(target) = target {
            create = create.targets("T", target);
        }
        for (name, action) in actions {
            create = create.actions(*name, action.clone());
        }
        let error = create.send().await.unwrap_err().into_service_error();
        assert!(error.message().unwrap().contains(words), "{words}: {error:?}");
    };
    let target = || tagged(&[("a", "b")], "ALL");
    let plain = || Some(target().build().unwrap());
    refused(
        Some(target().resource_arns(&arn).build().unwrap()),
        &[("S", stop("T", &[]))],
        "both resource ARNs and resource tags for target T",
    )
    .await;
    refused(plain(), &[("S", stop("Other", &[]))], "\"Other\"").await;
    refused(plain(), &[("W", wait("PT1M", &[]))], "Target T is not used").await;
    refused(None, &[("W", wait("1 minute", &[]))], "1 minute").await;
    refused(None, &[("W", wait("PT13H", &[]))], "12 hours").await;
    refused(None, &[("W", wait("PT1M", &["X"]))], "\"X\"").await;
    refused(None, &[("A", wait("PT1M", &["B"])), ("B", wait("PT1M", &["A"]))], "circular").await;
    let clusters = Action::builder().action_id("aws:ecs:stop-task").targets("Clusters", "T").build().unwrap();
    refused(plain(), &[("S", clusters)], "Unexpected target \"Clusters\" found in action \"S\"").await;
    let unknown = Action::builder().action_id("aws:ec2:stop-instances").build().unwrap();
    refused(None, &[("S", unknown)], "aws:ec2:stop-instances").await;
    refused(Some(target().selection_mode("SOME").build().unwrap()), &[("S", stop("T", &[]))], "SOME").await;
    refused(Some(target().parameters("x", "y").build().unwrap()), &[("S", stop("T", &[]))], "\"x\"").await;
    refused(
        Some(target().resource_type("aws:ec2:instance").build().unwrap()),
        &[("S", stop("T", &[]))],
        "aws:ec2:instance",
    )
    .await;

    let alarm = StopCondition::builder().source("aws:cloudwatch:alarm").value("arn:aws:cloudwatch:x:y:alarm:z");
    let create = lab.fis.create_experiment_template().description("d").actions("W", wait("PT1M", &[]));
    let create = create.role_arn(format!("arn:aws:iam::{ACCOUNT}:role/Fis"));
    let error = create.clone().stop_conditions(alarm.build().unwrap()).send().await.unwrap_err();
    assert!(error.message().unwrap().contains("aws:cloudwatch:alarm"), "{error:?}");
    let error = create.set_stop_conditions(Some(Vec::new())).send().await.unwrap_err();
    assert!(error.message().unwrap().contains("stopConditions"), "{error:?}");
    let error = lab.fis.list_target_account_configurations().experiment_template_id("EXT1").send().await.unwrap_err();
    assert!(error.message().unwrap().contains("ListTargetAccountConfigurations"), "{error:?}");
}

#[tokio::test]
async fn the_catalog_tells_what_there_is() {
    let lab = Lab::start().await;
    let action = lab.fis.get_action().id("aws:ecs:stop-task").send().await.unwrap().action.unwrap();
    assert_eq!(action.targets().unwrap()["Tasks"].resource_type(), Some("aws:ecs:task"));
    let action = lab.fis.get_action().id("aws:fis:wait").send().await.unwrap().action.unwrap();
    assert_eq!(action.parameters().unwrap()["duration"].required(), Some(true));
    assert_eq!(lab.fis.list_actions().send().await.unwrap().actions().len(), 3);
    let page = lab.fis.list_actions().max_results(2).send().await.unwrap();
    let page = lab.fis.list_actions().max_results(2).set_next_token(page.next_token).send().await.unwrap();
    assert_eq!((page.actions()[0].id(), page.next_token()), (Some("aws:fis:wait"), None));
    let missing = lab.fis.get_action().id("aws:no:such").send().await.unwrap_err().into_service_error();
    assert_eq!(missing.message(), Some("Action with ID aws:no:such not found."));
    let types = lab.fis.list_target_resource_types().send().await.unwrap();
    assert_eq!(types.target_resource_types()[0].resource_type(), Some("aws:ecs:task"));
    let kind = lab.fis.get_target_resource_type().resource_type("aws:ecs:task").send().await.unwrap();
    assert!(kind.target_resource_type().unwrap().parameters().unwrap().contains_key("cluster"));
    let lever = lab.fis.get_safety_lever().id("default").send().await.unwrap().safety_lever.unwrap();
    assert_eq!(lever.state().unwrap().status().unwrap().as_str(), "disengaged");
}

fn stack(description: &str) -> String {
    serde_json::json!({
        "Resources": {
            "Template": {"Type": "AWS::FIS::ExperimentTemplate", "Properties": {
                "Description": description,
                "RoleArn": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:role/Fis"},
                "Targets": {"Tasks": {
                    "ResourceType": "aws:ecs:task", "ResourceTags": {"fisTarget": "true"}, "SelectionMode": "COUNT(1)",
                    "Parameters": {"cluster": "one"}, "Filters": [{"Path": "LastStatus", "Values": ["RUNNING"]}],
                }},
                "Actions": {"StopECSTask": {"ActionId": "aws:ecs:stop-task", "Targets": {"Tasks": "Tasks"}}},
                "StopConditions": [{"Source": "none"}],
                "Tags": {"Name": "FisWorkshopECSTask"},
            }},
        },
        "Outputs": {"Ref": {"Value": {"Ref": "Template"}}, "Id": {"Value": {"Fn::GetAtt": "Template.Id"}}},
    })
    .to_string()
}

#[tokio::test]
async fn a_stack_makes_changes_and_deletes_a_template() {
    let lab = Lab::start().await;
    let stacks = aws_sdk_cloudformation::Client::new(&lab.endpoint.sdk_config());
    stacks.create_stack().stack_name("s").template_body(stack("one")).send().await.unwrap();
    let outputs = stack_is(&stacks, "s", "CREATE_COMPLETE").await;
    let id = &outputs["Ref"];
    assert_eq!(&outputs["Id"], id);
    let read = async || lab.fis.get_experiment_template().id(id).send().await.unwrap().experiment_template.unwrap();
    let template = read().await;
    let target = &template.targets().unwrap()["Tasks"];
    assert_eq!((target.selection_mode(), target.filters()[0].path()), (Some("COUNT(1)"), Some("LastStatus")));
    let tags = template.tags().unwrap();
    assert_eq!(tags["Name"], "FisWorkshopECSTask");
    assert_eq!(
        (tags["aws:cloudformation:stack-name"].as_str(), tags["aws:cloudformation:logical-id"].as_str()),
        ("s", "Template")
    );

    stacks.update_stack().stack_name("s").template_body(stack("two")).send().await.unwrap();
    assert_eq!(&stack_is(&stacks, "s", "UPDATE_COMPLETE").await["Ref"], id);
    assert_eq!(read().await.description(), Some("two"));
    stacks.delete_stack().stack_name("s").send().await.unwrap();
    let gone = async || lab.fis.list_experiment_templates().send().await.unwrap().experiment_templates().is_empty();
    while !gone().await {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
