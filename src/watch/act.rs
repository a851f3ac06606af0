//! What the buttons do: a command, by this program itself, as if somebody had typed it.

use std::process::Stdio;

use maud::{Markup, html};
use tokio::process::Command;

use super::parts::prose;
use super::seen::Seen;
use super::step;
use crate::lab::variant::Variant;
use crate::place::Place;

/// The buttons, each with its command. A press only names one of them, so that no page can have anything else done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Buttons(Vec<(&'static str, String)>);

/// What a press has come to.
#[derive(Debug)]
pub(super) enum Did {
    AtWork,
    Done(String),
    Failed(String),
}

/// The button that takes an index.
const INTERRUPT: &str = "interrupt";

impl Buttons {
    /// Those of an environment; none before there is one.
    pub(super) fn of(seen: &Seen, place: &Place) -> Self {
        if seen.status.table.is_none() {
            return Self(Vec::new());
        }
        let flag = seen.environment().flag();
        let run =
            |variant: &Variant| (&*variant.design().name, format!("{} --detach", step::run_command(seen, *variant)));
        let others =
            [("clear", format!("fis-workshop clear{flag}")), (INTERRUPT, format!("fis-workshop interrupt{flag}"))];
        let all = Variant::ALL.iter().map(run).chain(others);
        Self(all.map(|(name, command)| (name, place.repeat(&command))).collect())
    }

    /// The command of a form that was sent, if it is one of ours.
    pub(super) fn pressed(&self, form: &str) -> Option<String> {
        let value =
            |name: &str| form_urlencoded::parse(form.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value);
        let pressed = value("press")?;
        let (name, command) = self.0.iter().find(|(name, _)| *name == pressed)?;
        match value("index").filter(|_| *name == INTERRUPT) {
            Some(index) => Some(format!("{command} --at-index {}", index.parse::<u64>().ok()?)),
            None => Some(command.clone()),
        }
    }

    pub(super) fn show(&self, is_busy: bool) -> Markup {
        let simple = self.0.iter().filter(|(name, _)| *name != INTERRUPT);
        html! {
            @if !self.0.is_empty() {
                h2 { "Do it from here" }
                form method="post" action="/do" {
                    @for (name, _) in simple {
                        button name="press" value=(name) disabled[is_busy] { @if *name == "clear" { "Empty the table" } @else { "Run " (name) } }
                    }
                }
                form method="post" action="/do" {
                    label { "Interrupt at index " input type="number" name="index" min="0" max="9999" value=(step::AT_INDEX) required; }
                    button name="press" value=(INTERRUPT) disabled[is_busy] { "Interrupt" }
                }
            }
        }
    }
}

impl Did {
    /// Of the command that was pressed for.
    pub(super) fn show(&self, command: &str, place: &Place) -> Markup {
        let (sign, text) = match self {
            Self::AtWork => ("…", "It is at work."),
            Self::Done(text) => ("✓", text.as_str()),
            Self::Failed(text) => ("✗", text.as_str()),
        };
        html! {
            p { (sign) " " code { (command) } }
            pre { (prose(text, place)) }
        }
    }
}

/// Does it. The command goes on when the page is gone, as one that was typed somewhere else does.
pub(super) async fn carry_out(command: &str) -> Did {
    let words = shlex::split(command).unwrap_or_default();
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return Did::Failed(format!("This program cannot be found any more: {error}.")),
    };
    let output = Command::new(program).args(words.iter().skip(1)).stdin(Stdio::null()).output().await;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    match output {
        Ok(output) if output.status.success() => Did::Done(text(&output.stdout)),
        Ok(output) => Did::Failed(text(&output.stderr)),
        Err(error) => Did::Failed(format!("This program cannot be started: {error}.")),
    }
}
