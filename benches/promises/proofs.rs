//! What `prove` promises: to be over before somebody has had enough.

use std::time::Instant;

use serde_json::Value;

use super::{Lab, Measured, Result};

impl Lab {
    /// On endpoints of `prove`'s own.
    pub(super) fn proofs(&self) -> Result<Vec<Measured>> {
        let (mut single, mut rate) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let (seconds, schedules) = self.prove(&["improved"])?;
            single.push(seconds);
            rate.push(schedules / seconds);
        }
        let (twice, _) = self.prove(&["improved", "--depth", "2"])?;
        let (all, _) = self.prove(&[])?;
        Ok(vec![
            ("prove improved: every kill, and two copies in every order, s", single, "< 5"),
            ("the same, schedules a second", rate, ""),
            ("prove improved --depth 2, s", vec![twice], "< 60"),
            ("prove: all variants, s", vec![all], "< 60"),
        ])
    }

    /// Seconds from start to end, and how many schedules were played.
    fn prove(&self, arguments: &[&str]) -> Result<(f64, f64)> {
        let begin = Instant::now();
        let report = self.run(&[&["prove"], arguments, &["--output", "json"]].concat())?;
        let seconds = begin.elapsed().as_secs_f64();
        let report: Value = serde_json::from_slice(&report)?;
        let proofs = report["variants"].as_array().into_iter().flatten();
        Ok((seconds, proofs.filter_map(|proof| proof["schedules"].as_f64()).sum()))
    }
}
