//! `image build` and `image inspect`.

use std::path::Path;

use fis_workshop_images::{Architecture, WORKERS, layout};
use serde_json::json;

use crate::harness::Sandbox;

/// Another architecture than this machine's.
pub(super) fn other() -> &'static str {
    if std::env::consts::ARCH == "x86_64" { "arm64" } else { "x86_64" }
}

#[test]
#[cfg(target_os = "linux")]
fn without_source_the_embedded_images_are_written() {
    let sandbox = Sandbox::new();
    let report = sandbox.json(&["image", "build", "--to", "layout"]);
    assert_eq!(report["from_source"], false);
    let images = layout::read(&sandbox.path().join("layout")).unwrap();
    let inspected = sandbox.json(&["image", "inspect"]);
    for (index, image) in images.iter().enumerate() {
        assert_eq!(report["images"][index]["digest"], image.manifest.digest);
        assert_eq!(inspected["images"][index]["digest"], image.manifest.digest);
        let reference = format!("oci:{}:{}", sandbox.path().join("layout").display(), image.name);
        let seen = super::stdout(super::tool("skopeo").args(["--insecure-policy", "inspect", &reference]));
        assert!(seen.contains(&image.manifest.digest), "{seen}");
    }
}

/// The same source has the same digest, whoever runs cargo.
#[test]
#[cfg(target_os = "linux")]
fn from_the_source_of_this_program_the_same_images_are_built() {
    let sandbox = Sandbox::new();
    let root = env!("CARGO_MANIFEST_DIR");
    let mut command = sandbox.command(&["image", "build", "--source", root, "--to", "layout", "--output", "json"]);
    // Rust's own directories, without which cargo would fetch everything again.
    for name in ["PATH", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    let home = Path::new(&std::env::var_os("HOME").unwrap()).to_owned();
    for (name, directory) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        if std::env::var_os(name).is_none() {
            command.env(name, home.join(directory));
        }
    }
    let report: serde_json::Value = serde_json::from_str(&super::stdout(&mut command)).unwrap();
    assert_eq!(report["from_source"], true);
    let inspected = sandbox.json(&["image", "inspect"]);
    for index in 0..WORKERS.len() {
        assert_eq!(report["images"][index]["digest"], inspected["images"][index]["digest"]);
    }
}

#[test]
fn a_missing_target_or_linker_is_named_with_what_to_run() {
    let sandbox = Sandbox::new();
    let architecture: Architecture = other().parse().unwrap();
    let rustc = sandbox.path().join("rustc");
    let libraries = sandbox.path().join("lib");
    std::fs::write(&rustc, format!("#!/bin/sh\necho {}\n", libraries.display())).unwrap();
    std::fs::set_permissions(&rustc, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let build = || {
        let mut command =
            sandbox.command(&["image", "build", "--arch", other(), "--source", env!("CARGO_MANIFEST_DIR")]);
        crate::harness::Run::of(command.env("RUSTC", &rustc).env("PATH", sandbox.path()).output().unwrap())
    };
    let run = build();
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains(&format!("`rustup target add {}`", architecture.rust_target())), "{run:?}");
    std::fs::create_dir(&libraries).unwrap();
    std::fs::write(libraries.join("libstd-1.rlib"), "").unwrap();
    let run = build();
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains(architecture.cross_package()), "{run:?}");
    assert!(!sandbox.state_dir().exists());
}

#[test]
fn images_for_another_processor_are_refused_before_anything_is_made() {
    let sandbox = Sandbox::new();
    for command in ["up", "plan", "lab"] {
        let run = sandbox.run(&[command, "--arch", other()]);
        assert_eq!(run.code, 1, "{run:?}");
        assert!(run.stderr.contains("This machine does not run programs"), "{run:?}");
    }
    let run = sandbox.run(&["up", "--target", "aws", "--arch", other()]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains(&format!("fis-workshop image build --arch {}", other())), "{run:?}");
    let run = sandbox.run(&["image", "build", "--arch", other()]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("--source"), "{run:?}");
    assert_eq!(sandbox.run(&["up", "--arch", "sparc"]).code, 2);
    assert!(!sandbox.state_dir().exists());
}

/// What is in the state directory is what is inspected and pushed for that processor.
#[test]
fn a_layout_in_the_state_directory_is_that_processors_images() {
    let sandbox = Sandbox::new();
    let architecture: Architecture = other().parse().unwrap();
    let platform = fis_workshop_images::pack::Platform { architecture: architecture.oci(), os: "linux" };
    let images = fis_workshop_images::pack::pack(b"not run here", &platform).unwrap();
    let directory = sandbox.state_dir().join("images").join(other());
    layout::write(&directory, &images).unwrap();
    let inspected = sandbox.json(&["image", "inspect", "improved", "--arch", other()]);
    assert_eq!(inspected["images"][0]["digest"], images[1].manifest.digest);
    assert_eq!(inspected["images"][0]["architecture"], json!(architecture.oci()));
    std::fs::write(directory.join("index.json"), "{").unwrap();
    let damaged = sandbox.run(&["image", "inspect", "--arch", other()]);
    assert_eq!(damaged.code, 1);
    assert!(damaged.stderr.contains("fis-workshop image build"), "{damaged:?}");
}
