//! The Dockerfile makes the images that `fis-workshop` packs, but for the name of the program in them.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::Sandbox;

/// The instructions of the last stage, continued lines joined and comments left out.
fn last_stage(text: &str) -> Vec<(String, String)> {
    let text: String =
        text.lines().filter(|line| !line.trim_start().starts_with('#')).map(|line| format!("{line}\n")).collect();
    let text = text.replace("\\\n", " ");
    let mut instructions = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let (instruction, arguments) = line.trim().split_once(' ').unwrap();
        if instruction == "FROM" {
            instructions.clear();
        }
        instructions.push((instruction.to_owned(), arguments.trim().to_owned()));
    }
    instructions
}

#[test]
fn the_dockerfile_has_the_entry_point_user_and_signal_of_the_packed_images() {
    let sandbox = Sandbox::new();
    let inspected = sandbox.json(&["image", "inspect"]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pinned = std::fs::read_to_string(root.join("rust-toolchain.toml")).unwrap();
    let version = pinned.split("channel = \"").nth(1).unwrap().split('"').next().unwrap();
    let text = std::fs::read_to_string(root.join("worker/Dockerfile")).unwrap();
    let stage = last_stage(&text);
    let value = |instruction: &str| {
        let mut found = stage.iter().filter(|(name, _)| name == instruction);
        let (_, arguments) = found.next().unwrap_or_else(|| panic!("no {instruction}"));
        assert!(found.next().is_none(), "two of {instruction}");
        arguments.clone()
    };
    assert_eq!(value("FROM"), "scratch");
    assert_eq!(value("WORKDIR"), "/");
    // The exec form is JSON: the program, and nothing before or after it.
    let entrypoint: Value = serde_json::from_str(&value("ENTRYPOINT")).unwrap();
    assert_eq!(entrypoint, json!(["/worker"]));
    assert!(text.contains("\"target/$target/worker/$WORKER\" /image/worker"));
    assert!(text.contains("/image/etc/ssl/certs/ca-certificates.crt"));
    assert!(text.contains(&format!("rust:{}-", version.rsplit_once('.').unwrap().0)), "{version}");
    for image in inspected["images"].as_array().unwrap() {
        assert_eq!(json!(value("USER")), image["user"]);
        assert_eq!(json!(value("STOPSIGNAL")), image["stop_signal"]);
        let name = image["image"].as_str().unwrap();
        assert_eq!(image["entrypoint"], json!(["/worker", name]));
    }
}
