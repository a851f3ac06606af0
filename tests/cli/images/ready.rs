//! Images that somebody else has made: `--image`.

use fis_workshop_images::{Architecture, WORKERS, layout, pack};
use serde_json::Value;

use super::build::other;
use crate::harness::{Run, Sandbox};

/// The lab's images in the lab's own repository, by their digests: in the order of the chapter.
fn pushed(sandbox: &Sandbox, args: &[&str]) -> [String; 4] {
    let pushed = sandbox.json(&[&["image", "push"], args].concat());
    [0, 1, 2, 3].map(|index| pushed["images"][index].as_str().unwrap().to_owned())
}

/// `--image` for each program.
fn flags(images: [&str; 4]) -> Vec<String> {
    let named = WORKERS.iter().zip(images).map(|(name, image)| format!("{name}={image}"));
    named.flat_map(|image| ["--image".to_owned(), image]).collect()
}

fn up(sandbox: &Sandbox, images: [&str; 4]) -> Run {
    let flags = flags(images);
    sandbox.run(&["up", "--output", "json"].into_iter().chain(flags.iter().map(String::as_str)).collect::<Vec<_>>())
}

#[test]
fn ready_made_images_are_run_by_their_digests() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    let [original, improved, watchdog, queue] = &pushed(&sandbox, &[]);
    // The same images by name: nothing is to be changed.
    let same: Value = serde_json::from_str(&up(&sandbox, [original, improved, watchdog, queue]).stdout).unwrap();
    assert_eq!(same["changed"], false);
    // The original worker in the place of the improved one starts over.
    assert_eq!(up(&sandbox, [original, original, watchdog, queue]).code, 0);
    sandbox.ok(&["run", "improved", "--item-seconds", "0"]);
    assert!(sandbox.ok(&["run", "improved", "--item-seconds", "0"]).contains("Starting at 0"));
    sandbox.ok(&["down"]);
}

#[test]
fn an_image_that_is_not_there_or_for_another_processor_changes_nothing() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    let [original, _, watchdog, queue] = &pushed(&sandbox, &[]);
    let architecture: Architecture = other().parse().unwrap();
    let platform = pack::Platform { architecture: architecture.oci(), os: "linux" };
    let images = pack::pack(b"not run here", &platform).unwrap();
    layout::write(&sandbox.state_dir().join("images").join(other()), &images).unwrap();
    let [_, foreign, ..] = pushed(&sandbox, &["--arch", other()]);
    let repository = original.split_once('@').unwrap().0;
    let nowhere = repository.replace("fis", "nowhere").replace("Fis", "nowhere");
    let before = sandbox.json(&["status"]);
    for (image, message, cause) in [
        (foreign, "is for the wrong architecture", architecture.oci()),
        (format!("{repository}:nothing"), "There is no image", "imageTag:'nothing'"),
        (format!("{nowhere}:a"), "nowhere", "cause: "),
    ] {
        let run = up(&sandbox, [original, &image, watchdog, queue]);
        assert!(run.code == 1 || run.code == 2, "{run:?}");
        for text in [message, cause, "hint"] {
            assert!(run.stderr.contains(text), "{text}: {run:?}");
        }
    }
    assert_eq!(sandbox.json(&["status"])["stacks"], before["stacks"]);
    sandbox.ok(&["down"]);
}
