//! SIGKILL at random moments: whatever is killed, whenever, every index ends up in the table exactly once.

use std::{thread, time::Duration};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::lab::{IMPROVED, Lab, Run, log_of};

const KILLS: u32 = 100;
const SIZE: u64 = 40;

/// Another seed than a new one, to play a failure again.
const SEED: &str = "TEST_SEED";

/// The moments of the kills.
pub(crate) struct Dice {
    seed: u64,
    pub(crate) rng: StdRng,
}

impl Dice {
    pub(crate) fn new() -> Self {
        let seed = std::env::var(SEED).map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
        Self { seed, rng: StdRng::seed_from_u64(seed) }
    }
}

impl Drop for Dice {
    #[expect(clippy::print_stderr, reason = "a failing test says how to play it again")]
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{SEED}={} plays this again", self.seed);
        }
    }
}

/// Restarts the job until its batch is complete, and kills it as long as there are kills left.
fn finish_batch(lab: &Lab, batch: &str, dice: &mut Dice, kills: &mut u32) {
    loop {
        let done_before = lab.accepted(batch).len() as u64;
        let mut command = lab.command(IMPROVED);
        command.env("BATCH_ID", batch).env("BATCH_SIZE", SIZE.to_string()).env("ITEM_SECONDS", "0.002");
        let run = Run::start(&mut command);
        let outcome = if *kills < KILLS {
            thread::sleep(Duration::from_micros(dice.rng.random_range(0..80_000)));
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
    let (lab, mut dice) = (Lab::new(), Dice::new());
    let mut kills = 0;
    for number in 0.. {
        let batch = format!("batch-{number}");
        finish_batch(&lab, &batch, &mut dice, &mut kills);
        lab.assert_complete(&batch, SIZE);
        assert_eq!(lab.accepted(&batch), (0..SIZE).collect::<Vec<u64>>());
        if kills == KILLS {
            break;
        }
    }
}
