//! All programs in one file, as the images hold it: most of their code is the same, so all of them take little more room
//! than one. `worker original` runs what `src/bin/original.rs` is by itself.

#[path = "bin/improved.rs"]
mod improved;
#[path = "bin/original.rs"]
mod original;
#[path = "bin/queue.rs"]
mod queue;
#[path = "bin/watchdog.rs"]
mod watchdog;

use std::{
    env,
    io::{Write, stderr},
    process::ExitCode,
};

fn main() -> ExitCode {
    match env::args().nth(1).as_deref() {
        Some("original") => original::main(),
        Some("improved") => improved::main(),
        Some("watchdog") => watchdog::main(),
        Some("queue") => queue::main(),
        _ => {
            // Whether or not the line finds a reader, the exit code tells.
            let _ = writeln!(stderr(), "usage: worker original|improved|watchdog|queue");
            ExitCode::from(2)
        }
    }
}
