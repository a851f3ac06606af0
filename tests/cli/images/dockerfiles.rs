//! The Dockerfiles make the images that `fis-workshop` packs.

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
fn a_dockerfile_has_the_entry_point_user_and_signal_of_the_packed_image() {
    let sandbox = Sandbox::new();
    let inspected = sandbox.json(&["image", "inspect"]);
    let pinned = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("rust-toolchain.toml")).unwrap();
    let version = pinned.split("channel = \"").nth(1).unwrap().split('"').next().unwrap();
    for image in inspected["images"].as_array().unwrap() {
        let name = image["image"].as_str().unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("worker/{name}.Dockerfile"));
        let text = std::fs::read_to_string(path).unwrap();
        let stage = last_stage(&text);
        let value = |instruction: &str| {
            let mut found = stage.iter().filter(|(name, _)| name == instruction);
            let (_, arguments) = found.next().unwrap_or_else(|| panic!("{name}: no {instruction}"));
            assert!(found.next().is_none(), "{name}: two of {instruction}");
            arguments.clone()
        };
        assert_eq!(value("FROM"), "scratch");
        assert_eq!(json!(value("USER")), image["user"]);
        assert_eq!(json!(value("STOPSIGNAL")), image["stop_signal"]);
        assert_eq!(value("WORKDIR"), "/");
        // The exec form is JSON.
        let entrypoint: Value = serde_json::from_str(&value("ENTRYPOINT")).unwrap();
        assert_eq!(entrypoint, image["entrypoint"]);
        assert!(text.contains(&format!("rust:{}-", version.rsplit_once('.').unwrap().0)), "{name}: {version}");
        assert!(text.contains("/image/etc/ssl/certs/ca-certificates.crt"), "{name}");
    }
}

/// What one of them has learned, the other one should have, too.
#[test]
fn both_dockerfiles_differ_only_in_the_name() {
    let text = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("worker/{name}.Dockerfile"));
        std::fs::read_to_string(path).unwrap()
    };
    assert_eq!(text("original").replace("original", "improved"), text("improved"));
}
