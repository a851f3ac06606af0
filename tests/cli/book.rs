//! The book that `make docs` builds of docs/: complete, and with nothing in it that is not there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// Pages below a folder.
fn pages(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| if path.is_dir() { pages(&path) } else { BTreeSet::from([path]) };
    entries.flat_map(below).filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

#[test]
fn every_page_is_in_the_contents() {
    let contents = std::fs::read_to_string(docs().join("SUMMARY.md")).unwrap();
    let links = contents.split("](").skip(1).map(|rest| docs().join(rest.split(')').next().unwrap()));
    let links: BTreeSet<_> = links.chain([docs().join("SUMMARY.md")]).collect();
    assert_eq!(links, pages(&docs()));
}

#[test]
fn excerpts_show_the_programs_to_their_end() {
    let page = std::fs::read_to_string(docs().join("variants.md")).unwrap();
    let excerpts: Vec<_> = page.split("{{#include ").skip(1).map(|rest| rest.split("}}").next().unwrap()).collect();
    assert_eq!(excerpts.len(), 4);
    for excerpt in excerpts {
        let (file, first) = excerpt.strip_suffix(':').unwrap().rsplit_once(':').unwrap();
        let source = std::fs::read_to_string(docs().join(file)).unwrap();
        let shown = source.lines().nth(first.parse::<usize>().unwrap() - 1).unwrap();
        assert!(shown.starts_with("/// "), "{excerpt} begins with {shown:?}");
        assert_eq!(source.matches("\nasync fn ").count(), 1, "{file}");
    }
}
