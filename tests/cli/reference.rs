//! `docs/reference/cli.md` is made of what `--help` says; `make docs` writes it again.

use std::path::Path;

use crate::harness::Sandbox;
use crate::help::{self, Help};

const INTRODUCTION: &str = "\
# Commands

Written by `make docs` out of `fis-workshop --help`; the tests fail when it is stale.

Flags win over environment variables, which win over `fis-workshop.toml` in the current directory (keys `target`, `env`,
`region`, `profile`, `output`, `color`, `state-dir`), which wins over the defaults. Where a command takes several
environments, `FIS_WORKSHOP_ENV=alice,bob` or `env = ['alice', 'bob']` in the file names them, as `--env alice --env bob` does.
`FIS_WORKSHOP_LOG` (for example `debug` or `local_aws=debug`) makes commands and the local endpoint log more.

Every command takes the global options, too; they are described once, under `fis-workshop`.

stdout carries data, stderr everything else; with `--output json` stdout is one JSON document, also of a command that fails:
`{\"error\":{\"message\":...,\"causes\":[...],\"hints\":[...]}}`.
";

/// Help of a command, the global options only where they are described.
fn section(Help { command, text: help }: &Help) -> String {
    let mut text = String::new();
    let mut is_skipped = false;
    for line in help.lines() {
        // A heading ends the options; the options themselves are indented.
        if !line.is_empty() && !line.starts_with(' ') {
            is_skipped = line == "Global options:" && !command.is_empty();
        }
        if !is_skipped {
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    let name = ["fis-workshop"].into_iter().chain(command.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
    format!("\n## {name}\n```text\n{}\n```\n", text.trim_end())
}

#[test]
fn reference_page_of_the_commands_is_current() {
    let sandbox = Sandbox::new();
    let sections: String = help::all(&sandbox).iter().map(section).collect();
    let page = format!("{INTRODUCTION}{sections}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/cli.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &page).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == page, "docs/reference/cli.md is stale; `make docs` writes it again");
}
