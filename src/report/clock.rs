//! The clock that all pictures of a page share.

use maud::{Markup, html};

use super::timeline::Turn;

/// Room for it below a picture, in pixels.
pub(super) const HEIGHT: u32 = 24;

/// The seconds that all pictures of a page show.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    seconds: f64,
}

impl Clock {
    /// Room for the longest of them, and a little behind it.
    pub(super) fn of(turns: &[Turn]) -> Self {
        let longest = turns.iter().map(|turn| turn.end).fold(0.0, f64::max);
        Self { seconds: (longest * 1.02).max(0.001) }
    }

    pub(super) fn place(self, at: f64) -> String {
        format!("{:.3}%", self.share(at))
    }

    /// Percent of the whole.
    pub(super) fn share(self, at: f64) -> f64 {
        at / self.seconds * 100.0
    }

    /// The clock below a picture of this height, and a line for each of its marks.
    pub(super) fn grid(self, bottom: u32) -> Markup {
        html! {
            @for at in self.marks() {
                line.grid x1=(self.place(at)) x2=(self.place(at)) y1="0" y2=(bottom) {}
                text.clock x=(self.place(at)) y=(bottom + 16) text-anchor=[(at > 0.0).then_some("middle")] { (at) " s" }
            }
        }
    }

    /// Seconds that are written below: 1, 2 or 5 times a power of ten, so that there are six at most.
    fn marks(self) -> Vec<f64> {
        let power = 10_f64.powf((self.seconds / 6.0).log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
        let step = steps.into_iter().find(|step| self.seconds / step <= 6.0).unwrap_or(power * 10.0);
        (0..=6).map(|number| f64::from(number) * step).filter(|at| *at < self.seconds * 0.97).collect()
    }
}
