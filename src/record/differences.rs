//! Where two runs differ. Pure: events in, words out. How long things took is not compared: it differs from run to run, and
//! from the local endpoint to AWS by design.

use std::collections::BTreeMap;

use serde::Serialize;

use super::event::{Event, Moment, What};
use super::turns::turns;

/// Something that is not the same in both.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Difference {
    /// Of which variant; `original / improved` where two are compared with one another.
    pub(crate) variants: String,
    pub(crate) what: &'static str,
    /// In the one and in the other.
    pub(crate) values: [String; 2],
}

/// Tasks at once write them in any order, and each says where it is.
const LINES: &str = "lines of the logs, without their numbers";

/// What is compared of a variant's turn, each with what was seen of it, in its order.
type Facts = Vec<(&'static str, Vec<String>)>;

/// Where the runs differ, and what of them is the same. Variants are compared by their names; where each run has one, these two.
pub(crate) fn differences(a: &[Event], b: &[Event]) -> (Vec<Difference>, Vec<String>) {
    let (a, b) = (facts_of_turns(a), facts_of_turns(b));
    let pairs: Vec<(String, &Facts, &Facts)> = match (a.as_slice(), b.as_slice()) {
        ([(of_a, a)], [(of_b, b)]) if of_a != of_b => vec![(format!("{of_a} / {of_b}"), a, b)],
        _ => a
            .iter()
            .filter_map(|(name, facts)| Some(((*name).to_owned(), facts, &b.iter().find(|(it, _)| it == name)?.1)))
            .collect(),
    };
    let mut differences = Vec::new();
    if pairs.len() < a.len().max(b.len()) {
        let values = [&a, &b].map(|turns| listed(turns.iter().map(|(name, _)| (*name).to_owned())));
        differences.push(Difference { variants: "all".to_owned(), what: "what was played", values });
    }
    let mut same = Vec::new();
    let is_only_one = pairs.len() == 1;
    for (variants, a, b) in pairs {
        for ((what, of_a), (_, of_b)) in a.iter().zip(b) {
            if of_a == of_b {
                same.push(if is_only_one { (*what).to_owned() } else { format!("{what} ({variants})") });
            } else {
                let values = [shown(what, of_a, of_b), shown(what, of_b, of_a)];
                differences.push(Difference { variants: variants.clone(), what, values });
            }
        }
    }
    (differences, same)
}

/// Of lines, those that the other one has not.
fn shown(what: &str, of: &[String], other: &[String]) -> String {
    listed(of.iter().filter(|value| what != LINES || !other.contains(value)).cloned())
}

fn listed(values: impl Iterator<Item = String>) -> String {
    let values: Vec<_> = values.collect();
    if values.is_empty() { "none".to_owned() } else { values.join("; ") }
}

fn facts_of_turns(events: &[Event]) -> Vec<(&str, Facts)> {
    turns(events).into_iter().map(|(variant, events)| (variant, facts(&events))).collect()
}

fn facts(events: &[&Event]) -> Facts {
    let tasks = Tasks::of(events);
    vec![
        ("tasks", vec![tasks.ids.len().to_string()]),
        ("states that the tasks have passed", tasks.told(|id| tasks.states(id))),
        ("how the tasks ended", tasks.told(|id| tasks.end(id))),
        ("interrupted after index", events.iter().filter_map(|event| interrupted_after(event)).collect()),
        ("experiments", events.iter().filter_map(|event| experiment(event)).collect()),
        ("first item of each task", tasks.told(|id| tasks.first_item(id))),
        ("items done again", vec![tasks.again().to_string()]),
        (LINES, tasks.lines()),
    ]
}

fn interrupted_after(event: &Event) -> Option<String> {
    match &event.what {
        What::Hit { index, .. } => Some(index.map_or_else(|| "none".to_owned(), |index| index.to_string())),
        _ => None,
    }
}

fn experiment(event: &Event) -> Option<String> {
    match &event.what {
        What::ExperimentEnded { status, reason, .. } => Some(format!("{status} ({reason})")),
        _ => None,
    }
}

/// The tasks of a turn, in the order in which they were made.
struct Tasks<'a> {
    ids: Vec<&'a str>,
    events: &'a [&'a Event],
}

impl<'a> Tasks<'a> {
    fn of(events: &'a [&'a Event]) -> Self {
        let created = events.iter().filter_map(|event| match &event.what {
            What::Task { task, moment: Moment::Created } => Some((event.at, task.as_str())),
            _ => None,
        });
        let mut created: Vec<_> = created.collect();
        created.sort_unstable();
        Self { ids: created.into_iter().map(|(_, id)| id).collect(), events }
    }

    /// Something of each task; once, where it is the same of all.
    fn told(&self, of: impl Fn(&str) -> String) -> Vec<String> {
        let mut told: Vec<_> = self.ids.iter().map(|id| of(id)).collect();
        told.dedup();
        told
    }

    fn states(&self, id: &str) -> String {
        let of_task = |event: &&Event| match &event.what {
            What::Task { task, moment } if task == id => Some((event.at, *moment)),
            _ => None,
        };
        let mut moments: Vec<_> = self.events.iter().filter_map(of_task).collect();
        moments.sort_unstable();
        let names = moments.iter().map(|(_, moment)| format!("{moment:?}"));
        names.collect::<Vec<_>>().join(" ")
    }

    fn end(&self, id: &str) -> String {
        let end = self.events.iter().find_map(|event| match &event.what {
            What::TaskEnded { task, stop_code, reason, exit_code, .. } if task == id => {
                let code = exit_code.map_or_else(|| "no exit code".to_owned(), |code| format!("exit code {code}"));
                let (why, reason) = (stop_code.as_deref().unwrap_or("no code"), reason.as_deref().unwrap_or_default());
                Some(format!("{code}, {why}: {}", without_ids(reason)))
            }
            _ => None,
        });
        end.unwrap_or_else(|| "was not seen to end".to_owned())
    }

    fn first_item(&self, id: &str) -> String {
        let first = self.items().filter(|(_, task)| *task == id).map(|(index, _)| index).min();
        first.map_or_else(|| "none".to_owned(), |index| index.to_string())
    }

    fn items(&self) -> impl Iterator<Item = (u64, &str)> {
        self.events.iter().filter_map(|event| match &event.what {
            What::Item { index, task } => Some((*index, task.as_str())),
            _ => None,
        })
    }

    /// How many items were written more often than once.
    fn again(&self) -> usize {
        let mut writes: BTreeMap<u64, usize> = BTreeMap::new();
        self.items().for_each(|(index, _)| *writes.entry(index).or_default() += 1);
        writes.values().filter(|count| **count > 1).count()
    }

    /// Each kind of line once, in alphabetical order.
    fn lines(&self) -> Vec<String> {
        let lines = self.events.iter().filter_map(|event| match &event.what {
            What::Line { message, .. } => Some(without_numbers(message)),
            _ => None,
        });
        let mut lines: Vec<_> = lines.collect();
        lines.sort_unstable();
        lines.dedup();
        lines
    }
}

/// `EXPabc123` and the like: words with capitals and digits that mean nothing to a reader.
fn without_ids(text: &str) -> String {
    let is_id = |word: &str| word.starts_with("EXP") && word.len() > 10;
    let words = text.split(' ').map(|word| if is_id(word.trim_end_matches([')', '.'])) { "…)" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

fn without_numbers(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '0'..='9' if kept.ends_with('N') => {}
            '0'..='9' => kept.push('N'),
            _ => kept.push(c),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A turn in which a task writes items 0 to 2, is stopped, and another one goes on at `resumed`.
    fn turn(variant: &str, resumed: u64) -> Vec<Event> {
        let put = |task: &str, index: u64| json!({"event": "item", "index": index, "task": task});
        let created = |task: &str| json!({"event": "task", "task": task, "moment": "created"});
        let begins = |task: &str, line: String| json!({"event": "line", "task": task, "message": line});
        let hit = json!({"event": "hit", "experiment": "EXP1", "task": "a", "index": 2, "last_index": 2, "items": 3});
        let first = [created("a"), begins("a", "Starting at 0".to_owned()), put("a", 0), put("a", 1), put("a", 2), hit];
        let line = if resumed == 0 { "Starting at 0".to_owned() } else { format!("Continuing at {resumed}") };
        let second = [created("b"), begins("b", line)].into_iter().chain((resumed..10).map(|index| put("b", index)));
        let event = |(second, mut what): (usize, Value)| {
            what["at"] = json!(format!("2026-08-01T10:00:{second:02}.000Z"));
            what["within_ms"] = json!(1);
            what["source"] = json!("ecs");
            what["variant"] = json!(variant);
            serde_json::from_value(what).unwrap()
        };
        first.into_iter().chain(second).enumerate().map(event).collect()
    }

    #[test]
    fn what_an_improvement_buys_is_what_differs() {
        let (differences, same) = differences(&turn("original", 0), &turn("improved", 3));
        let told: Vec<_> =
            differences.iter().map(|it| (it.what, it.values[0].as_str(), it.values[1].as_str())).collect();
        assert_eq!(
            told,
            [
                ("first item of each task", "0", "0; 3"),
                ("items done again", "3", "0"),
                (LINES, "none", "Continuing at N"),
            ]
        );
        assert!(differences.iter().all(|it| it.variants == "original / improved"));
        assert!(same.contains(&"interrupted after index".to_owned()), "{same:?}");
    }

    #[test]
    fn two_runs_alike_differ_in_nothing_however_long_they_took() {
        let mut other = turn("original", 0);
        other.iter_mut().for_each(|event| event.at += std::time::Duration::from_secs(3600));
        assert_eq!(differences(&turn("original", 0), &other).0, []);
    }

    #[test]
    fn a_variant_that_only_one_of_them_played_is_named() {
        let both = [turn("original", 0), turn("improved", 3)].concat();
        let (differences, same) = differences(&both, &turn("improved", 3));
        assert_eq!(differences.len(), 1);
        assert_eq!(differences[0].values, ["original; improved", "improved"]);
        assert_eq!(same.len(), 8);
    }

    #[test]
    fn ids_and_numbers_are_not_compared() {
        assert_eq!(
            without_ids("Task stopped by AWS FIS (Experiment ID: EXPEyL8EfSkqeZK6q4)"),
            "Task stopped by AWS FIS (Experiment ID: …)"
        );
        assert_eq!(without_numbers("Successfully PUT item 12 out of 10"), "Successfully PUT item N out of N");
    }
}
