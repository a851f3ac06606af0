//! `original`: does everything, and does everything again.

use crate::lab::{Lab, ORIGINAL, Run, log_of, put_line, text};

#[test]
fn writes_every_item_and_logs_the_chapters_lines() {
    let lab = Lab::new();

    let outcome = Run::start(&mut lab.command(ORIGINAL)).wait();

    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(outcome.stdout, log_of("Starting at 0", 0..10, 10));
    assert_eq!(outcome.stderr, "");
    lab.assert_complete("batch", 10);
    assert!(lab.items("batch").values().all(|i| text(i, "TaskId") == "local"));
}

#[test]
fn interrupted_it_starts_at_0_once_more() {
    let lab = Lab::new();
    let mut first = Run::start(lab.command(ORIGINAL).env("ITEM_SECONDS", "0.1"));
    first.wait_for(&put_line(4, 10));
    first.kill();
    let done = lab.accepted("batch");

    let outcome = Run::start(&mut lab.command(ORIGINAL)).wait();

    assert_eq!(outcome.stdout, log_of("Starting at 0", 0..10, 10));
    lab.assert_complete("batch", 10);
    assert!(done.starts_with(&[0, 1, 2, 3, 4]), "{done:?}");
    assert_eq!(lab.accepted("batch"), [done, (0..10).collect()].concat());
}

#[test]
fn the_first_item_takes_item_seconds() {
    let lab = Lab::new();
    let begin = std::time::Instant::now();

    let mut run = Run::start(lab.command(ORIGINAL).env("ITEM_SECONDS", "0.5"));
    run.wait_for(&put_line(0, 10));

    // Not "and no longer": how much longer is the machine's doing.
    assert!(begin.elapsed().as_secs_f64() >= 0.5);
    run.kill();
}

#[test]
fn the_id_of_an_ecs_task_is_written_with_each_item() {
    let lab = Lab::new();

    let outcome = Run::start(
        lab.command(ORIGINAL).env("BATCH_SIZE", "2").env("ECS_CONTAINER_METADATA_URI_V4", lab.metadata_uri("0f3a9c5e")),
    )
    .wait();

    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(lab.items("batch").values().all(|i| text(i, "TaskId") == "0f3a9c5e"));
}
