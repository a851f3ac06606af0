//! Experiments without tasks: order, stops, restarts, failures.

use super::lab::*;

#[tokio::test]
async fn actions_run_in_their_order() {
    let lab = Lab::start().await;
    let actions = [("A", wait("PT1S", &[])), ("B", wait("PT1S", &["A", "C"])), ("C", wait("PT2S", &[]))];
    let template = lab.template("Fis", [], actions).await;
    let started = lab.fis.start_experiment().experiment_template_id(&template).tags("k", "v").send().await.unwrap();
    let started = started.experiment.unwrap();
    assert_eq!((status(&started), reason(&started)), (Status::Initiating, "Experiment is initiating."));
    assert_eq!(action_status(&started, "A"), ActionStatus::Pending);
    let id = started.id().unwrap();
    let running = lab.until(id, |experiment| status(experiment) == Status::Running).await;
    assert_eq!(reason(&running), "Experiment is running.");
    assert_eq!(action_status(&running, "B"), ActionStatus::Pending);
    let ended = lab.end_of(id).await;
    assert_eq!((status(&ended), reason(&ended)), (Status::Completed, "Experiment completed."));
    let actions = ended.actions().unwrap();
    assert_eq!(actions["B"].state().unwrap().reason(), Some("Action was completed."));
    assert!(actions["B"].start_time().unwrap() >= actions["C"].end_time().unwrap());
    let listed = lab.fis.list_experiments().experiment_template_id(&template).send().await.unwrap();
    assert_eq!(listed.experiments()[0].tags().unwrap()["k"], "v");
}

#[tokio::test]
async fn a_stopped_experiment_starts_nothing_more() {
    let lab = Lab::start().await;
    let template = lab.template("Fis", [], [("A", wait("PT1H", &[])), ("B", wait("PT1H", &["A"]))]).await;
    let start = || lab.fis.start_experiment().experiment_template_id(&template);
    let id = start().client_token("once").send().await.unwrap().experiment.unwrap().id.unwrap();
    assert_eq!(start().client_token("once").send().await.unwrap().experiment.unwrap().id(), Some(id.as_str()));
    lab.until(&id, |experiment| status(experiment) == Status::Running).await;
    let stopping = lab.fis.stop_experiment().id(&id).send().await.unwrap().experiment.unwrap();
    assert_eq!((status(&stopping), reason(&stopping)), (Status::Stopping, "Stopping Experiment."));
    let ended = lab.end_of(&id).await;
    assert_eq!(status(&ended), Status::Stopped);
    assert_eq!(
        (action_status(&ended, "A"), action_status(&ended, "B")),
        (ActionStatus::Stopped, ActionStatus::Cancelled)
    );
    let again = lab.fis.stop_experiment().id(&id).send().await.unwrap_err().into_service_error();
    assert!(again.is_validation_exception(), "{again:?}");

    for _ in 0..5 {
        start().send().await.unwrap();
    }
    let sixth = start().send().await.unwrap_err();
    assert_eq!(sixth.raw_response().unwrap().status().as_u16(), 402);
    let lever = async |status: SafetyLeverStatusInput| {
        let state = UpdateSafetyLeverStateInput::builder().status(status).reason("test").build().unwrap();
        lab.fis.update_safety_lever_state().id("default").state(state).send().await.unwrap();
    };
    lever(SafetyLeverStatusInput::Engaged).await;
    for experiment in lab.fis.list_experiments().send().await.unwrap().experiments() {
        lab.end_of(experiment.id().unwrap()).await;
    }
    assert_eq!(status(&lab.run(&template).await), Status::Cancelled);
    lever(SafetyLeverStatusInput::Disengaged).await;
    let id = start().send().await.unwrap().experiment.unwrap().id.unwrap();
    lab.until(&id, |experiment| status(experiment) == Status::Running).await;
}

#[tokio::test]
async fn an_experiment_outlives_the_endpoint() {
    let lab = Lab::start().await;
    let template = lab.template("Fis", [], [("A", wait("PT1S", &[])), ("B", wait("PT1S", &["A"]))]).await;
    let started = lab.fis.start_experiment().experiment_template_id(&template).send().await.unwrap();
    let id = started.experiment.unwrap().id.unwrap();
    let lab = lab.restart().await;
    lab.until(&id, |experiment| action_status(experiment, "A") == ActionStatus::Completed).await;
    let lab = lab.restart().await;
    let ended = lab.end_of(&id).await;
    assert_eq!(status(&ended), Status::Completed);
    assert_eq!(ended.start_time(), ended.creation_time());
}

#[tokio::test]
async fn an_empty_target_fails_or_is_skipped_as_the_template_says() {
    let lab = Lab::start().await;
    let tasks = || [("tasks", tagged(&[("fisTarget", "true")], "ALL").build().unwrap())];
    let template = lab.template("Fis", tasks(), [("Stop", stop("tasks", &[]))]).await;
    let failed = lab.run(&template).await;
    assert_eq!((status(&failed), reason(&failed)), (Status::Failed, "Target resolution returned empty set"));
    assert_eq!(error_code(&failed), Some("InvalidTarget"));
    assert_eq!(action_status(&failed, "Stop"), ActionStatus::Cancelled);

    let skip = Options::builder().empty_target_resolution_mode(EmptyTargetResolutionMode::Skip).build();
    let create =
        lab.create("Fis").experiment_options(skip.clone()).targets("tasks", tasks().into_iter().next().unwrap().1);
    let template = create.actions("Stop", stop("tasks", &[])).actions("After", wait("PT1S", &["Stop"]));
    let template = template.send().await.unwrap().experiment_template.unwrap().id.unwrap();
    let ended = lab.run(&template).await;
    assert_eq!((status(&ended), action_status(&ended, "Stop")), (Status::Completed, ActionStatus::Skipped));
    assert_eq!(action_status(&ended, "After"), ActionStatus::Completed);

    // A task named by its ARN must be there, whatever the mode.
    let missing = format!("arn:aws:ecs:us-east-1:{ACCOUNT}:task/one/0123456789abcdef0123456789abcdef");
    let target = Target::builder().resource_type("aws:ecs:task").selection_mode("ALL").resource_arns(missing);
    let create = lab.create("Fis").experiment_options(skip).targets("tasks", target.build().unwrap());
    let create = create.actions("Stop", stop("tasks", &[])).send().await.unwrap();
    let failed = lab.run(&create.experiment_template.unwrap().id.unwrap()).await;
    assert_eq!(error_code(&failed), Some("InvalidTarget"));
}

#[tokio::test]
async fn the_experiments_role_must_be_there_trusted_and_allowed() {
    let lab = Lab::start().await;
    for (role, words) in [("Nobody", "Nobody"), ("Untrusted", "sts:AssumeRole"), ("Powerless", "tag:GetResources")] {
        let tasks = [("tasks", tagged(&[("fisTarget", "true")], "ALL").build().unwrap())];
        let template = lab.template(role, tasks, [("Stop", stop("tasks", &[]))]).await;
        let failed = lab.run(&template).await;
        assert_eq!((status(&failed), error_code(&failed)), (Status::Failed, Some("UnauthorizedOperation")));
        assert!(reason(&failed).contains(words), "{}", reason(&failed));
    }
}
