//! What somebody says beforehand that an interruption will come to: shown beside what is measured, and judged by nobody.
//!
//! Who has said something before a demonstration learns more from it than who only watches: Crouch, Fagen, Callan and
//! Mazur, "Classroom demonstrations: learning tools or entertainment?", Am. J. Phys. 72, 835 (2004).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::variant::{Design, Restart};
use crate::error::Result;
use crate::ui::{BUSY, Ui, paint};

/// The answers, by the names of what is measured. What was not answered is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Prediction {
    /// First index that is worked on after the interruption.
    pub(crate) resumed_at_index: Option<u64>,
    /// Items that will be done twice.
    pub(crate) items_redone: Option<u64>,
    /// Who will start the job again.
    pub(crate) restart: Option<Restart>,
}

/// The questions, with their names on the command line.
const QUESTIONS: [(&str, &str); 3] = [
    ("resume", "At which index will the job go on?"),
    ("redone", "How many items will be done twice?"),
    ("restarts", "Who will start it again: me (nobody else does), a function, or others (who just go on)?"),
];

/// Whether there is somebody to ask. What is on stdout for a machine, no person has asked for.
pub(crate) fn can_ask(ui: &Ui) -> bool {
    !ui.is_json() && ui.can_ask()
}

/// Asks whoever is at the terminal; `None` if nobody is, or nothing was answered. `fault` is what is about to happen. Where
/// tasks share the work, there is no one index to go on at.
pub(crate) async fn ask(ui: &Ui, shared: bool, fault: &str) -> Result<Option<Prediction>> {
    if !can_ask(ui) {
        return Ok(None);
    }
    ui.note(format_args!("{} {fault}. Enter skips a question, Ctrl-D all of them.", paint(BUSY, "Predict first:")));
    let mut prediction = Prediction::default();
    for (name, question) in QUESTIONS.iter().filter(|(name, _)| !(shared && *name == "resume")) {
        if !prediction.ask(ui, name, question).await? {
            break;
        }
    }
    Ok(prediction.or_nothing())
}

impl Prediction {
    /// Asks until the answer is one, or none; says whether to go on with the next question.
    async fn ask(&mut self, ui: &Ui, name: &str, question: &str) -> Result<bool> {
        loop {
            match ui.line(question).await?.as_deref() {
                None => {
                    // The cursor is still behind the question.
                    ui.note("");
                    return Ok(false);
                }
                Some("") => return Ok(true),
                Some(answer) => match self.answer(name, answer) {
                    Ok(()) => return Ok(true),
                    Err(wanted) => ui.note(format_args!("{answer}? It takes {wanted}.")),
                },
            }
        }
    }

    /// Takes the answer to the question of this name, or says what would be one.
    fn answer(&mut self, name: &str, text: &str) -> std::result::Result<(), String> {
        let number = || text.parse().map(Some).map_err(|_| "a whole number, 0 or more".to_owned());
        match name {
            "resume" => self.resumed_at_index = number()?,
            "redone" => self.items_redone = number()?,
            _ => self.restart = Some(restart(text)?),
        }
        Ok(())
    }

    /// What is not answered here is as in `other`.
    fn or(self, other: Self) -> Self {
        Self {
            resumed_at_index: self.resumed_at_index.or(other.resumed_at_index),
            items_redone: self.items_redone.or(other.items_redone),
            restart: self.restart.or(other.restart),
        }
    }

    fn or_nothing(self) -> Option<Self> {
        (self != Self::default()).then_some(self)
    }
}

fn restart(text: &str) -> std::result::Result<Restart, String> {
    match text.to_ascii_lowercase().as_str() {
        "nobody" | "me" => Ok(Restart::ByHand),
        "function" | "a function" => Ok(Restart::ByWatchdog),
        "others" => Ok(Restart::NotNeeded),
        _ => Err("nobody, me, function or others".to_owned()),
    }
}

/// As on the command line: `resume=0,redone=5,restarts=nobody`, each of them once or not at all.
impl FromStr for Prediction {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let mut prediction = Self::default();
        let mut seen = Vec::new();
        for answer in text.split(',') {
            let (name, value) = answer.split_once('=').ok_or_else(|| format!("`{answer}` is not NAME=ANSWER"))?;
            if !QUESTIONS.iter().any(|(known, _)| *known == name) {
                return Err(format!("`{name}` is none of resume, redone and restarts"));
            }
            if seen.contains(&name) {
                return Err(format!("{name} is answered twice"));
            }
            prediction.answer(name, value).map_err(|wanted| format!("{name} takes {wanted}"))?;
            seen.push(name);
        }
        Ok(prediction)
    }
}

impl fmt::Display for Prediction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answers = [
            self.resumed_at_index.map(|index| format!("goes on at index {index}")),
            self.items_redone.map(|items| format!("items done twice: {items}")),
            self.restart.map(|restart| format!("restarted: {restart}")),
        ];
        f.write_str(&answers.into_iter().flatten().collect::<Vec<_>>().join("; "))
    }
}

/// A prediction for one variant, `original:resume=0`, or for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Foretold {
    /// Its name.
    pub(crate) design: Option<String>,
    prediction: Prediction,
}

impl FromStr for Foretold {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let Some((name, answers)) = text.split_once(':') else {
            return Ok(Self { design: None, prediction: text.parse()? });
        };
        Ok(Self { design: Some(name.to_owned()), prediction: answers.parse()? })
    }
}

/// Where the predictions come from.
#[derive(Debug, Clone)]
pub(crate) enum Predictions {
    /// From whoever is at the terminal.
    Asked,
    /// From the command line; there may be none.
    Given(Vec<Foretold>),
}

impl Predictions {
    /// What is foretold of the design. Of its own answers and those for all, its own hold.
    pub(super) async fn of(&self, design: &Design, ui: &Ui, fault: &str) -> Result<Option<Prediction>> {
        let Self::Given(given) = self else {
            return ask(ui, design.tasks > 1, fault).await;
        };
        let of = |wanted: Option<&str>| given.iter().find(|foretold| foretold.design.as_deref() == wanted);
        let answers = [of(Some(&design.name)), of(None)].into_iter().flatten();
        let all = answers.fold(Prediction::default(), |own, next| own.or(next.prediction));
        Ok(all.or_nothing())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::variant::Variant;

    const FORETOLD: Prediction =
        Prediction { resumed_at_index: Some(0), items_redone: Some(5), restart: Some(Restart::ByHand) };

    async fn of(variant: Variant, given: &[&str]) -> Option<Prediction> {
        let given = given.iter().map(|text| text.parse().unwrap()).collect();
        Predictions::Given(given).of(variant.design(), &Ui::default(), "").await.unwrap()
    }

    #[test]
    fn answers_are_read_in_any_order_and_may_be_few() {
        for text in ["resume=0,redone=5,restarts=nobody", "restarts=ME,resume=0,redone=5"] {
            assert_eq!(text.parse(), Ok(FORETOLD), "{text}");
        }
        let some = "redone=5".parse::<Prediction>().unwrap();
        assert_eq!((some.resumed_at_index, some.items_redone, some.restart), (None, Some(5), None));
        assert_eq!("restarts=others".parse::<Prediction>().unwrap().restart, Some(Restart::NotNeeded));
        assert_eq!("restarts=function".parse::<Prediction>().unwrap().restart, Some(Restart::ByWatchdog));
    }

    #[test]
    fn what_is_no_answer_is_named() {
        for (text, words) in [
            ("", "`` is not NAME=ANSWER"),
            ("resume", "`resume` is not NAME=ANSWER"),
            ("resume=-1", "resume takes a whole number"),
            ("redone=many", "redone takes a whole number"),
            ("restarts=you", "restarts takes nobody, me, function or others"),
            ("restart=me", "`restart` is none of"),
            ("redone=1,redone=2", "redone is answered twice"),
        ] {
            let error = text.parse::<Prediction>().unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[tokio::test]
    async fn a_variants_own_answers_win_over_those_for_all() {
        let given = ["resume=5,redone=0", "original:resume=0,restarts=me"];
        let original = of(Variant::Original, &given).await.unwrap();
        assert_eq!(original, Prediction { items_redone: Some(0), ..FORETOLD });
        let improved = of(Variant::Improved, &given).await.unwrap();
        assert_eq!((improved.resumed_at_index, improved.restart), (Some(5), None));
        assert_eq!(of(Variant::Improved, &["original:resume=0"]).await, None);
    }
}
