//! The templates as they are printed.

use serde_json::Value;

use crate::harness::Sandbox;

#[test]
fn a_rendered_template_is_the_file() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.ok(&["render", "network"]), include_str!("../../templates/network.yaml"));
    assert_eq!(sandbox.ok(&["render", "workshop"]), include_str!("../../templates/workshop.yaml"));
}

#[test]
fn the_json_form_has_the_same_resources_and_no_short_tags() {
    let sandbox = Sandbox::new();
    for (template, resource) in [("network", "FisVpc"), ("workshop", "ExperimentTemplate")] {
        let text = sandbox.ok(&["render", template, "--output", "json"]);
        let json: Value = serde_json::from_str(&text).unwrap();
        assert!(json["Resources"][resource].is_object(), "{template}");
        assert!(!text.contains("\"!"), "{template}");
    }
}

#[test]
fn output_that_nobody_reads_is_no_failure() {
    let sandbox = Sandbox::new();
    let mut child = sandbox
        .command(&["render", "workshop"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[test]
fn the_sources_are_the_files() {
    let sandbox = Sandbox::new();
    let original = include_str!("../../worker/src/bin/original.rs");
    let improved = include_str!("../../worker/src/bin/improved.rs");
    assert_eq!(sandbox.ok(&["source", "improved"]), improved);
    assert_eq!(sandbox.ok(&["source", "original", "improved"]), [original, improved].concat());
    let json = sandbox.json(&["source", "original", "improved"]);
    assert_eq!(json, serde_json::json!({"original": original, "improved": improved}));
    assert_eq!(sandbox.run(&["source"]).code, 2);
}
