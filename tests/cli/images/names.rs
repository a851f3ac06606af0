//! A program in its image finds AWS by name: nothing of the machine that built it helps there.

use std::path::Path;
use std::process::Command;

use fis_workshop_images::{Image, layout};

use crate::harness::{Run, Sandbox, judge};

/// An image's files, without what a container engine mounts into them.
fn unpack(image: &Image, layout: &Path, root: &Path) {
    std::fs::create_dir(root).unwrap();
    for layer in &image.layers {
        let file = layout.join("blobs").join(layer.digest.replace(':', "/"));
        super::stdout(Command::new("tar").arg("-xzf").arg(file).arg("-C").arg(root));
    }
    // As Fargate and every container engine do it.
    std::fs::create_dir_all(root.join("etc")).unwrap();
}

/// Starts the worker in its own root directory and network.
fn start(program: &str, root: &Path, name_server: &str) -> Run {
    std::fs::write(root.join("etc/resolv.conf"), format!("nameserver {name_server}\n")).unwrap();
    let mut command = super::tool("unshare");
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    command
        .arg("--net")
        .arg(judge("python"))
        .arg("tests/cli/images/name_server.py")
        .arg(root)
        .args(["/worker", program]);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("TABLE_NAME", "table").env("ITEM_SECONDS", "0").env("AWS_REGION", "eu-central-1");
    command.env("AWS_MAX_ATTEMPTS", "1");
    command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "secret");
    Run::of(command.output().unwrap())
}

#[test]
fn a_worker_in_its_image_resolves_names() {
    let sandbox = Sandbox::new();
    sandbox.ok(&["image", "build", "--to", "layout"]);
    let layout = sandbox.path().join("layout");
    // The file is the same in all of them; these need nothing but a table.
    let images = layout::read(&layout).unwrap().into_iter();
    for image in images.filter(|image| ["original", "improved"].contains(&image.name.as_str())) {
        let root = sandbox.path().join(format!("root-{}", image.name));
        unpack(&image, &layout, &root);
        let run = start(&image.name, &root, "127.0.0.1");
        assert!(run.stdout.contains("asked for dynamodb.eu-central-1.amazonaws.com."), "{}: {run:?}", image.name);
        assert!(run.stderr.contains("Connection refused"), "{}: {run:?}", image.name);
        // Nobody answers there.
        let run = start(&image.name, &root, "127.0.0.2");
        assert!(!run.stdout.contains("asked for") && run.stderr.contains("name resolution"), "{}: {run:?}", image.name);
    }
}
