//! The programs are there to be read side by side, on one screen.

use std::{fs, path::Path};

/// What a screen shows at once.
const SCREEN: usize = 30;

fn lines(program: &str) -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin").join(program).with_extension("rs");
    fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn a_program_fits_on_a_page() {
    for program in ["original", "improved", "queue", "watchdog"] {
        let length = lines(program).len();
        assert!(length <= 40, "{program} has {length} lines");
    }
}

#[test]
fn what_a_program_changes_of_the_one_before_fits_on_a_screen() {
    for pair in ["original", "improved", "queue"].windows(2) {
        let (before, after) = (lines(pair[0]), lines(pair[1]));
        let kept = longest_common_subsequence(&before, &after);
        let changed = before.len() + after.len() - 2 * kept;
        assert!(changed <= SCREEN, "{} and {}: {changed} lines", pair[0], pair[1]);
    }
}

/// How many lines a diff leaves as they are.
fn longest_common_subsequence(before: &[String], after: &[String]) -> usize {
    let mut row = vec![0; after.len() + 1];
    for line in before {
        let mut diagonal = 0;
        for (column, other) in after.iter().enumerate() {
            let above = row[column + 1];
            row[column + 1] = if line == other { diagonal + 1 } else { above.max(row[column]) };
            diagonal = above;
        }
    }
    row[after.len()]
}
