//! Experiments on real tasks.

use super::lab::*;

#[tokio::test]
async fn tasks_are_stopped_by_tag_cluster_and_filter_and_bear_the_experiments_id() {
    let lab = Lab::with_tasks().await;
    let tag = ("fisTarget", "true");
    let hit = lab.task("one", &[tag]).await;
    let untagged = lab.task("one", &[]).await;
    let elsewhere = lab.task("two", &[tag]).await;
    let filter = Filter::builder().path("LastStatus").values("RUNNING").build().unwrap();
    let target = || tagged(&[tag], "ALL").parameters("cluster", "one").filters(filter.clone()).build().unwrap();
    let template = lab.template("Fis", [("tasks", target())], [("Stop", stop("tasks", &[]))]).await;

    let preview = StartExperimentExperimentOptionsInput::builder().actions_mode(ActionsMode::SkipAll).build();
    let preview = lab.fis.start_experiment().experiment_template_id(&template).experiment_options(preview);
    let preview = preview.send().await.unwrap().experiment.unwrap().id.unwrap();
    let ended = lab.end_of(&preview).await;
    assert_eq!((status(&ended), action_status(&ended, "Stop")), (Status::Completed, ActionStatus::Skipped));
    let resolved = lab.fis.list_experiment_resolved_targets().experiment_id(&preview).send().await.unwrap();
    let resolved = resolved.resolved_targets();
    assert_eq!(resolved.len(), 1);
    assert_eq!(resolved[0].target_name(), Some("tasks"));
    assert_eq!(resolved[0].target_information().unwrap()["arn"], hit);
    lab.task_is("one", &hit, "RUNNING").await;

    let ended = lab.run(&template).await;
    assert_eq!(status(&ended), Status::Completed, "{ended:?}");
    let task = lab.task_is("one", &hit, "STOPPED").await;
    let id = ended.id().unwrap();
    assert_eq!(task.stopped_reason(), Some(format!("Task stopped by AWS FIS (Experiment ID: {id})").as_str()));
    assert_eq!(task.stop_code(), Some(&aws_sdk_ecs::types::TaskStopCode::UserInitiated));
    assert_eq!(task.containers()[0].exit_code(), Some(143));
    let took = task.stopping_at().unwrap().as_secs_f64() - ended.creation_time().unwrap().as_secs_f64();
    println!("StartExperiment to StopTask: {:.1} ms", took * 1000.0);
    lab.task_is("one", &untagged, "RUNNING").await;
    lab.task_is("two", &elsewhere, "RUNNING").await;
    // The stopped task has lost its tags, so the next experiment finds nothing.
    assert_eq!(error_code(&lab.run(&template).await), Some("InvalidTarget"));
}

#[tokio::test]
async fn selections_are_as_large_as_they_say_and_more_than_five_tasks_are_refused() {
    let lab = Lab::with_tasks().await;
    let mut tasks = Vec::new();
    for _ in 0..3 {
        tasks.push(lab.task("one", &[("t", "1")]).await);
    }
    let run = async |selection: &str| {
        let target = tagged(&[("t", "1")], selection).build().unwrap();
        let template = lab.template("Fis", [("tasks", target)], [("Stop", stop("tasks", &[]))]).await;
        let ended = lab.run(&template).await;
        let resolved =
            lab.fis.list_experiment_resolved_targets().experiment_id(ended.id().unwrap()).send().await.unwrap();
        (ended, resolved.resolved_targets().len())
    };
    let (failed, _) = run("PERCENT(33)").await;
    assert_eq!(reason(&failed), "Target resolution returned empty set");
    let (ended, resolved) = run("PERCENT(50)").await;
    assert_eq!((status(&ended), resolved), (Status::Completed, 1));
    let (ended, resolved) = run("COUNT(1)").await;
    assert_eq!((status(&ended), resolved), (Status::Completed, 1));
    let stopped = async |arn: &str| {
        let described = lab.ecs.describe_tasks().cluster("one").tasks(arn).send().await.unwrap();
        described.tasks()[0].desired_status() == Some("STOPPED")
    };
    let mut count = 0;
    for task in &tasks {
        count += usize::from(stopped(task).await);
    }
    assert_eq!(count, 2);
    for _ in 0..5 {
        lab.task("one", &[("t", "1")]).await;
    }
    let (failed, resolved) = run("ALL").await;
    assert_eq!((status(&failed), error_code(&failed), resolved), (Status::Failed, Some("QuotaViolation"), 6));
    assert!(reason(&failed).contains("Target Tasks for aws:ecs:stop-task"), "{}", reason(&failed));
}

#[tokio::test]
async fn a_role_that_may_find_and_not_stop_fails_the_action() {
    let lab = Lab::with_tasks().await;
    let task = lab.task("one", &[("t", "1")]).await;
    let target = tagged(&[("t", "1")], "ALL").build().unwrap();
    let actions = [("Stop", stop("tasks", &[])), ("After", wait("PT1M", &["Stop"]))];
    let template = lab.template("Watcher", [("tasks", target)], actions).await;
    let failed = lab.run(&template).await;
    assert_eq!((status(&failed), error_code(&failed)), (Status::Failed, Some("UnauthorizedOperation")));
    assert!(reason(&failed).contains("ecs:StopTask"), "{}", reason(&failed));
    assert_eq!(action_status(&failed, "Stop"), ActionStatus::Failed);
    assert_eq!(action_status(&failed, "After"), ActionStatus::Cancelled);
    lab.task_is("one", &task, "RUNNING").await;
}

#[tokio::test]
async fn a_process_is_killed_without_a_word_and_ecs_says_that_its_container_has_exited() {
    let lab = Lab::with_tasks().await;
    let target = || [("tasks", tagged(&[("t", "1")], "ALL").build().unwrap())];
    for (signal, code) in [("SIGKILL", 137), ("SIGTERM", 143)] {
        let task = lab.task("one", &[("t", "1")]).await;
        // This role may find tasks and not stop them.
        let template = lab.template("Watcher", target(), [("Kill", kill("tasks", "run", signal))]).await;
        let ended = lab.run(&template).await;
        assert_eq!(status(&ended), Status::Completed, "{ended:?}");
        let task = lab.task_is("one", &task, "STOPPED").await;
        assert_eq!(task.stop_code(), Some(&aws_sdk_ecs::types::TaskStopCode::EssentialContainerExited));
        assert_eq!(task.stopped_reason(), Some("Essential container in task exited"));
        assert_eq!(task.containers()[0].exit_code(), Some(code));
    }
    let task = lab.task("one", &[("t", "1")]).await;
    let template = lab.template("Watcher", target(), [("Kill", kill("tasks", "sh", "SIGKILL"))]).await;
    let failed = lab.run(&template).await;
    assert_eq!((status(&failed), error_code(&failed)), (Status::Failed, Some("DependentServiceFailure")));
    assert!(reason(&failed).ends_with("sh: no process found"), "{}", reason(&failed));
    lab.task_is("one", &task, "RUNNING").await;

    let action = lab.fis.get_action().id("aws:ecs:task-kill-process").send().await.unwrap().action.unwrap();
    let required = |name: &str| action.parameters().unwrap()[name].required();
    assert_eq!((required("processName"), required("signal")), (Some(true), Some(false)));
}
