//! Images that somebody else has made: `--image`.

use fis_workshop_images::{Architecture, layout, pack};
use serde_json::Value;

use super::build::other;
use crate::harness::Sandbox;

/// The lab's images in the lab's own repository, by their digests: original first.
fn pushed(sandbox: &Sandbox, args: &[&str]) -> [String; 2] {
    let pushed = sandbox.json(&[&["image", "push"], args].concat());
    [0, 1].map(|index| pushed["images"][index].as_str().unwrap().to_owned())
}

fn up(sandbox: &Sandbox, args: &[&str], [original, improved]: [&str; 2]) -> Value {
    let images = [format!("original={original}"), format!("improved={improved}")];
    sandbox.json(&[&["up", "--image", &images[0], "--image", &images[1]], args].concat())
}

#[test]
fn ready_made_images_are_run_by_their_digests() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    let [original, improved] = pushed(&sandbox, &[]);
    // The same images by name: nothing is to be changed.
    assert_eq!(up(&sandbox, &[], [&original, &improved])["changed"], false);
    // The original worker in the place of the improved one starts over.
    up(&sandbox, &[], [&original, &original]);
    sandbox.ok(&["run", "improved", "--item-seconds", "0"]);
    assert!(sandbox.ok(&["run", "improved", "--item-seconds", "0"]).contains("Starting at 0"));
    sandbox.ok(&["down"]);
}

#[test]
fn an_image_that_is_not_there_or_for_another_processor_changes_nothing() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    let [original, _] = pushed(&sandbox, &[]);
    let architecture: Architecture = other().parse().unwrap();
    let platform = pack::Platform { architecture: architecture.oci(), os: "linux" };
    let images = ["original", "improved"].map(|name| pack::pack(name, b"not run here", &platform).unwrap());
    layout::write(&sandbox.state_dir().join("images").join(other()), &images).unwrap();
    let [_, foreign] = pushed(&sandbox, &["--arch", other()]);
    let repository = original.split_once('@').unwrap().0;
    let nowhere = repository.replace("fis", "nowhere").replace("Fis", "nowhere");
    let before = sandbox.json(&["status"]);
    for (image, message, cause) in [
        (foreign, "is for the wrong architecture", architecture.oci()),
        (format!("{repository}:nothing"), "There is no image", "imageTag:'nothing'"),
        (format!("{nowhere}:a"), "nowhere", "cause: "),
    ] {
        let run =
            sandbox.run(&["up", "--image", &format!("original={original}"), "--image", &format!("improved={image}")]);
        assert!(run.code == 1 || run.code == 2, "{run:?}");
        for text in [message, cause, "hint: "] {
            assert!(run.stderr.contains(text), "{text}: {run:?}");
        }
    }
    assert_eq!(sandbox.json(&["status"])["stacks"], before["stacks"]);
    sandbox.ok(&["down"]);
}
