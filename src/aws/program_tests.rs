//! Laws about the programs, wherever they are written down: a new one is to be in all of these places.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use fis_workshop_images::WORKERS;
use serde_json::Value;

use super::*;
use crate::render;

/// What a screen shows at once.
const SCREEN: usize = 30;

fn source(program: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("worker/src/bin").join(program).with_extension("rs")
}

fn text(program: Program) -> String {
    std::fs::read_to_string(source(program.name())).unwrap()
}

fn template() -> Value {
    serde_json::from_str(&render::to_json(render::WORKSHOP).unwrap()).unwrap()
}

#[test]
fn the_lists_of_programs_are_one() {
    let names: Vec<_> = Program::OURS.iter().map(|program| program.name()).collect();
    assert_eq!(names, WORKERS);
    let sources = std::fs::read_dir(source("x").parent().unwrap()).unwrap();
    let sources: BTreeSet<_> =
        sources.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(sources, names.iter().map(|name| (*name).to_owned()).collect());
    assert!(Program::OURS.iter().all(|program| Program::named(program.name()) == Some(*program)));
}

#[test]
fn the_template_has_all_that_a_program_needs() {
    let template = template();
    for program in Program::ALL {
        let has = |section: &str, name: String| assert!(template[section].get(&name).is_some(), "{section}.{name}");
        has("Resources", program.log_group_id());
        has("Outputs", program.log_group_output());
        has("Outputs", program.task_role_output());
        if Program::OURS.contains(program) {
            has("Parameters", program.image_parameter());
            has("Outputs", program.task_definition_output());
        }
    }
}

/// `down` looks for what lost its tag by the names that these ids lead to.
#[test]
fn every_log_group_of_the_template_is_of_a_program() {
    let template = template();
    let resources = template["Resources"].as_object().unwrap();
    let groups = resources.iter().filter(|(_, resource)| resource["Type"] == "AWS::Logs::LogGroup");
    let groups: BTreeSet<_> = groups.map(|(id, _)| id.clone()).collect();
    assert_eq!(groups, Program::all_log_group_ids().into_iter().collect());
}

#[test]
fn task_definitions_differ_in_names_only() {
    let template = template();
    let definition = |program: Program| {
        let key = program.key();
        let resource = &template["Resources"][format!("{key}TaskDefinition")];
        assert_eq!(resource["Type"], "AWS::ECS::TaskDefinition", "{program}");
        let mut properties = resource["Properties"].clone();
        // Its own in every respect, for the attendees of the chapter look for it.
        assert!(properties.as_object_mut().unwrap().remove("Family").is_some(), "{program}");
        // The only one that needs to know more than the table.
        let environment = properties["ContainerDefinitions"][0]["Environment"].as_array_mut().unwrap();
        environment.retain(|variable| program != Program::Queue || variable["Name"] != "QUEUE_URL");
        let mut text = properties.to_string();
        // The watchdog restarts the improved worker.
        let of_worker = if program == Program::Watchdog { "Improved" } else { key };
        for (whose, own) in [(of_worker, "ImageUri"), (of_worker, "TaskRole"), (key, "LogGroup")] {
            assert!(text.contains(&format!("{whose}{own}")), "{program}: {own}");
            text = text.replace(&format!("{whose}{own}"), own);
        }
        text
    };
    let first = definition(Program::OURS[0]);
    for program in Program::OURS {
        assert_eq!(definition(*program), first, "{program}");
    }
}

#[test]
fn a_program_and_what_it_changes_of_the_one_before_fit_on_a_screen() {
    for program in Program::OURS {
        assert!(text(*program).lines().count() <= 40, "{program}");
    }
    for pair in Program::OURS.windows(2) {
        let lines = |program| text(program).lines().map(str::to_owned).collect::<Vec<_>>();
        let (before, after) = (lines(pair[0]), lines(pair[1]));
        let kept = longest_common_subsequence(&before, &after);
        let changed = before.len() + after.len() - 2 * kept;
        assert!(changed <= SCREEN, "{} and {}: {changed} lines", pair[0], pair[1]);
    }
}

/// How many lines a diff leaves as they are.
fn longest_common_subsequence(before: &[String], after: &[String]) -> usize {
    let mut row = vec![0; after.len() + 1];
    for line in before {
        let mut diagonal = 0;
        for (column, other) in after.iter().enumerate() {
            let above = row[column + 1];
            row[column + 1] = if line == other { diagonal + 1 } else { above.max(row[column]) };
            diagonal = above;
        }
    }
    row[after.len()]
}
