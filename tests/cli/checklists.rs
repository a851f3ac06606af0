//! What CONTRIBUTING.md and docs/architecture.md say of the files, where it can be looked up.

use std::fs;
use std::path::{Path, PathBuf};

/// Each of them uses those behind it, never those before it.
const FLOORS: [&str; 12] =
    ["commands", "report", "doctor", "prove", "watch", "lab", "record", "setup", "status", "aws", "endpoint", "error"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Everything in a folder, in its order.
fn entries(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort_unstable();
    paths
}

fn sources(folder: PathBuf) -> Vec<PathBuf> {
    let inside = |path: PathBuf| if path.is_dir() { sources(path) } else { vec![path] };
    entries(folder).into_iter().flat_map(inside).collect()
}

/// Files and folders of `src/commands` with a `run`.
fn verbs() -> Vec<String> {
    let is_verb = |path: &PathBuf| {
        let file = if path.is_dir() { path.join("mod.rs") } else { path.clone() };
        text(file).contains("fn run(context: &Context")
    };
    let paths = entries("src/commands").into_iter().filter(is_verb);
    paths.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn every_verb_is_in_the_readme_and_on_the_reference_page() {
    let verbs = verbs();
    assert!(verbs.len() > 15, "{verbs:?}");
    let (readme, reference) = (text("README.md"), text("docs/reference/cli.md"));
    let table: String = readme.lines().filter(|line| line.starts_with("| `")).collect();
    // Not on the list of verbs, which is for who plays the lab: `man` is for who packs the program.
    for verb in verbs.into_iter().filter(|verb| verb != "man") {
        let is_listed = [format!("`{verb}`"), format!("`{verb} ")].iter().any(|name| table.contains(name));
        assert!(is_listed, "README's table of commands lacks `{verb}`");
        assert!(reference.contains(&format!("## fis-workshop {verb}\n")), "`make docs` knows nothing of `{verb}`");
    }
}

#[test]
fn arrows_go_one_way() {
    for (floor, name) in FLOORS.iter().enumerate() {
        for path in sources(root().join("src").join(name)) {
            let source = text(&path);
            for above in &FLOORS[..floor] {
                assert!(!source.contains(&format!("crate::{above}::")), "{} uses {above}", path.display());
            }
        }
    }
}

#[test]
fn every_folder_of_the_deployer_is_in_the_architecture() {
    let architecture = text("docs/architecture.md");
    for path in entries("src").into_iter().filter(|path| path.is_dir()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(architecture.contains(&format!("| `src/{name}/` |")), "docs/architecture.md lacks src/{name}");
        assert!(FLOORS.contains(&name), "{name} has no floor");
    }
}

#[test]
fn paths_that_contributors_are_sent_to_are_there() {
    for page in ["CONTRIBUTING.md", "docs/architecture.md"] {
        let page_text = text(page);
        // What is between backticks, every other part.
        let quoted = page_text.split('`').skip(1).step_by(2);
        let is_path = |word: &&str| {
            let starts = ["src/", "tests/", "docs/", "worker/", "images/src/", "local-aws/", "templates/", "tools/"];
            starts.iter().any(|start| word.starts_with(start)) && !word.contains(char::is_whitespace)
        };
        // VERB and NAME stand for the new one.
        for path in quoted.filter(is_path).filter(|path| !path.contains("VERB") && !path.contains("NAME")) {
            assert!(root().join(path).exists(), "{page} names {path}");
        }
    }
}
