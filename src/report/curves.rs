//! How full the table was at each moment, for all variants in one plot: work that is done again is a flat stretch.

use maud::{Markup, html};

use super::clock::{self, Clock};
use super::timeline::Turn;

/// Of the plot, in pixels.
const HEIGHT: u32 = 150;

/// Lines are told apart by their dashes, too.
const LINES: usize = 4;

/// The plot; nothing where there is nothing to compare.
pub(super) fn curves(turns: &[Turn], clock: Clock) -> Markup {
    let curves: Vec<_> = turns.iter().filter_map(|turn| Some((turn, curve(turn)?))).collect();
    if curves.len() < 2 {
        return html! {};
    }
    html! {
        section aria-labelledby="progress" {
            h2 #progress { "Items in the table" }
            ul.legend aria-label="Lines" {
                @for (number, (turn, _)) in curves.iter().enumerate() {
                    li {
                        svg.sample aria-hidden="true" width="32" height="8" {
                            line class=(class(number)) x1="0" x2="32" y1="4" y2="4" {}
                        }
                        (turn.variant)
                    }
                }
            }
            svg.timeline role="img" aria-label=(in_words(&curves)) width="100%" height=(HEIGHT + clock::HEIGHT) {
                (clock.grid(HEIGHT))
                // Its own measures, so that it is as wide as the page; the lines keep theirs.
                svg x="0" y="0" width="100%" height=(HEIGHT) viewBox="0 0 100 100" preserveAspectRatio="none" overflow="visible" {
                    @for (number, (turn, curve)) in curves.iter().enumerate() {
                        polyline class=(class(number)) data-variant=(turn.variant) points=(points(curve, clock)) {}
                    }
                }
            }
        }
    }
}

fn class(number: usize) -> String {
    format!("curve line-{}", number % LINES)
}

/// Seconds and the share of the batch that was in the table from then on; none when its size is not known, or nothing was written.
fn curve(turn: &Turn) -> Option<Vec<(f64, f64)>> {
    let size = turn.batch_size.filter(|size| *size > 0)? as f64;
    let mut times: Vec<f64> =
        turn.tasks.iter().flat_map(|task| &task.writes).filter(|write| !write.again).map(|write| write.at).collect();
    times.sort_by(f64::total_cmp);
    let written = times.iter().zip(1_u32..).map(|(at, count)| (*at, f64::from(count) / size));
    let curve: Vec<_> = [(0.0, 0.0)].into_iter().chain(written).collect();
    let end = (turn.end, curve.last()?.1);
    (curve.len() > 1).then(|| curve.into_iter().chain([end]).collect())
}

/// A step at each item: until it is written, the table is as it was.
fn points(curve: &[(f64, f64)], clock: Clock) -> String {
    let place = |at: f64, share: f64| format!("{:.3},{:.2}", clock.share(at), 100.0 * (1.0 - share));
    let steps = curve.windows(2).flat_map(|pair| [place(pair[1].0, pair[0].1), place(pair[1].0, pair[1].1)]);
    let first = curve.first().map(|(at, share)| place(*at, *share));
    first.into_iter().chain(steps).collect::<Vec<_>>().join(" ")
}

/// The plot for who cannot see it.
fn in_words(curves: &[(&Turn, Vec<(f64, f64)>)]) -> String {
    let told = curves.iter().filter_map(|(turn, curve)| {
        // Behind the last item, there is only the end of the turn.
        let [.., (at, share), _end] = curve.as_slice() else { return None };
        Some(format!("{}: {:.0} % after {at:.1} seconds.", turn.variant, share * 100.0))
    });
    format!("Share of the batch in the table. {}", told.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::super::timeline::{Task, Write};
    use super::*;

    fn turn(writes: &[(u64, f64, bool)]) -> Turn {
        let writes = writes.iter().map(|(index, at, again)| Write { index: *index, at: *at, again: *again }).collect();
        let task = Task { writes, ..Task::default() };
        Turn { variant: "original".to_owned(), batch_size: Some(2), tasks: vec![task], end: 4.0, ..Turn::default() }
    }

    #[test]
    fn what_is_done_again_fills_no_table() {
        let curve = curve(&turn(&[(0, 1.0, false), (0, 2.0, true), (1, 3.0, false)])).unwrap();
        assert_eq!(curve, [(0.0, 0.0), (1.0, 0.5), (3.0, 1.0), (4.0, 1.0)]);
        let clock = Clock::of(&[turn(&[])]);
        let points = points(&curve, clock);
        assert!(points.starts_with("0.000,100.00 24.510,100.00 24.510,50.00 73.529,50.00 73.529,0.00"), "{points}");
    }

    #[test]
    fn one_variant_alone_and_one_that_wrote_nothing_have_no_plot() {
        let clock = Clock::of(&[turn(&[])]);
        let alone = [turn(&[(0, 1.0, false)]), turn(&[])];
        assert_eq!(curves(&alone, clock).0, "");
        let two = [turn(&[(0, 1.0, false)]), turn(&[(1, 1.0, false)])];
        assert_eq!(curves(&two, clock).0.matches("<polyline").count(), 2);
    }
}
