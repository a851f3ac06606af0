//! SIGKILL at random moments: whatever is killed, whenever, every index ends up in the table exactly once.

use std::{thread, time::Duration};

use rand::RngExt;

use crate::lab::{IMPROVED, Lab, Run, log_of};

const KILLS: u32 = 100;
const SIZE: u64 = 40;

/// Restarts the job until its batch is complete, and kills it as long as there are kills left.
fn finish_batch(lab: &Lab, batch: &str, kills: &mut u32) {
    let mut rng = rand::rng();
    loop {
        let done_before = lab.accepted(batch).len() as u64;
        let mut command = lab.command(IMPROVED);
        command.env("BATCH_ID", batch).env("BATCH_SIZE", SIZE.to_string()).env("ITEM_SECONDS", "0.002");
        let run = Run::start(&mut command);
        let outcome = if *kills < KILLS {
            thread::sleep(Duration::from_micros(rng.random_range(0..80_000)));
            run.kill()
        } else {
            run.wait()
        };
        if outcome.code.is_none() {
            *kills += 1;
        }
        assert_at_most_one_redone(&outcome.stdout, done_before);
        match outcome.code {
            Some(0) => return,
            // The killed task's last request may still arrive after the next one has read the table: then that one
            // finds an item where it is about to write, and gives way.
            None | Some(3) => {}
            Some(_) => panic!("{outcome:?}"),
        }
    }
}

/// The run starts at the first index that was not written: only the item in the making is done again.
fn assert_at_most_one_redone(log: &[String], done_before: u64) {
    // The request of the killed task may have arrived since, so one more item may be there than was counted.
    let possible = [done_before, done_before + 1].map(|start| {
        let first_line = match start {
            0 => "Starting at 0".to_owned(),
            index if index < SIZE => format!("Continuing at {index}"),
            _ => format!("Nothing left to do: all {SIZE} items are written"),
        };
        log_of(&first_line, start..SIZE, SIZE)
    });
    assert!(possible.iter().any(|lines| lines.starts_with(log)), "{log:#?}");
}

#[test]
fn a_hundred_kills() {
    let lab = Lab::new();
    let mut kills = 0;
    for number in 0.. {
        let batch = format!("batch-{number}");
        finish_batch(&lab, &batch, &mut kills);
        lab.assert_complete(&batch, SIZE);
        assert_eq!(lab.accepted(&batch), (0..SIZE).collect::<Vec<u64>>());
        if kills == KILLS {
            break;
        }
    }
}
