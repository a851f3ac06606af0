//! The page of what is seen: a document of parts.

use maud::{DOCTYPE, Markup, html};

use super::act::Buttons;
use super::parts;
use super::seen::Seen;
use super::step;
use crate::place::Place;
use crate::target::Target;

/// The part with what came of the last press of a button.
const DID: &str = "did";

/// The page, in parts that are sent when they have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    title: String,
    parts: Vec<(&'static str, String)>,
    buttons: Buttons,
    /// What a button is for is being done.
    pub(super) is_busy: bool,
}

impl Page {
    /// Of one environment; commands get the flags of `place`.
    pub(super) fn of(seen: &Seen, place: &Place) -> Self {
        let step = step::next(seen);
        let buttons = Buttons::of(seen, place);
        let parts = [
            ("problem", parts::problem(seen.status.problem.as_ref().map(|problem| problem.text.as_str()), place)),
            ("chapter", parts::chapter(step.chapter)),
            ("step", parts::next(&step, place)),
            ("act", buttons.show(false)),
            (DID, html! {}),
            ("items", parts::items(seen)),
            ("log", parts::log(seen)),
            ("tasks", parts::tasks(seen)),
            ("experiments", parts::experiments(seen)),
            ("stacks", parts::stacks(&seen.status.stacks)),
        ];
        let parts = parts.into_iter().map(|(part, html)| (part, html.into_string())).collect();
        Self { title: title(seen), parts, buttons, is_busy: false }
    }

    /// The same, when it cannot be read any more.
    pub(super) fn with_problem(&self, text: &str, place: &Place) -> Self {
        self.with("problem", &parts::problem(Some(text), place).into_string())
    }

    /// The same, with what comes of a press of a button. No other one can be pressed before that is over.
    pub(super) fn with_did(&self, did: &str, is_busy: bool) -> Self {
        let page = self.with(DID, did).with("act", &self.buttons.show(is_busy).0);
        Self { is_busy, ..page }
    }

    /// The same, with what came of the last press on the page before.
    pub(super) fn after(&self, before: &Self) -> Self {
        self.with_did(before.part(DID).0, before.is_busy)
    }

    fn with(&self, name: &str, html: &str) -> Self {
        let mut page = self.clone();
        page.parts.iter_mut().filter(|(part, _)| *part == name).for_each(|(_, old)| html.clone_into(old));
        page
    }

    /// The command of a form that was sent.
    pub(super) fn pressed(&self, form: &str) -> Option<String> {
        self.buttons.pressed(form)
    }

    /// The parts that are not as they were before.
    pub(super) fn changed<'a>(&'a self, before: Option<&'a Self>) -> impl Iterator<Item = (&'static str, &'a str)> {
        let is_known = move |part: &(&'static str, String)| before.is_some_and(|before| before.parts.contains(part));
        self.parts.iter().filter(move |part| !is_known(part)).map(|(part, html)| (*part, html.as_str()))
    }

    fn part(&self, name: &str) -> maud::PreEscaped<&str> {
        let part = self.parts.iter().find(|(part, _)| *part == name);
        maud::PreEscaped(part.map_or("", |(_, html)| html))
    }
}

fn title(seen: &Seen) -> String {
    let target = if seen.status.target == Target::Aws { "AWS" } else { "local" };
    format!("{} · {target}", seen.environment())
}

/// The document.
pub(super) fn whole(page: &Page) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (page.title) " · fis-workshop" }
                link rel="icon" href="/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/style.css";
                script src="/script.js" type="module" {}
            }
            body {
                header {
                    h1 { (page.title) }
                    p.gone role="status" { "Not live: `fis-workshop watch` has ended, or is out of reach." }
                }
                div data-part="problem" role="alert" { (page.part("problem")) }
                nav data-part="chapter" aria-label="The chapter" { (page.part("chapter")) }
                main {
                    section.next data-part="step" aria-live="polite" { (page.part("step")) }
                    section.act {
                        div data-part="act" { (page.part("act")) }
                        div data-part=(DID) aria-live="polite" { (page.part(DID)) }
                    }
                    section.items data-part="items" { (page.part("items")) }
                    section.log data-part="log" { (page.part("log")) }
                    section data-part="tasks" { (page.part("tasks")) }
                    section data-part="experiments" { (page.part("experiments")) }
                    section data-part="stacks" { (page.part("stacks")) }
                }
            }
        }
    }
}
