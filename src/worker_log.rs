//! The lines of the workers' logs, read back. What they are is the workers' contract: see worker/README.md.

/// What the line of a written item begins with, to search the logs for.
pub(crate) const PUT: &str = "Successfully PUT item";

const NOTHING_LEFT: &str = "Nothing left to do";
const ALL_WRITTEN: &str = "Nothing left to do: all";

/// Index and batch size of a line that says that an item was written.
pub(crate) fn put(line: &str) -> Option<(u64, u64)> {
    let rest = line.trim_end().strip_prefix(PUT)?.strip_prefix(' ')?;
    let (index, size) = rest.strip_suffix(" into DDB")?.split_once(" out of ")?;
    Some((index.parse().ok()?, size.parse().ok()?))
}

/// Where the worker began, in a batch of `size` items, by the line that says so.
pub(crate) fn start(line: &str, size: u64) -> Option<u64> {
    // Who takes items from a queue begins nowhere.
    if line.starts_with(ALL_WRITTEN) {
        return Some(size);
    }
    let index = line.strip_prefix("Starting at ").or_else(|| line.strip_prefix("Continuing at "))?;
    index.parse().ok()
}

/// Whether a worker that ended with this exit code writes nothing after `line`.
pub(crate) fn ends(line: &str, exit_code: Option<i32>) -> bool {
    match exit_code {
        Some(0) => line.starts_with(NOTHING_LEFT) || put(line).is_some_and(|(index, size)| index + 1 == size),
        Some(143) => line.starts_with("Received SIGTERM"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DONE: &str = "Successfully PUT item 9 out of 10 into DDB";

    #[test]
    fn only_the_line_of_a_written_item_counts() {
        assert_eq!(put("Successfully PUT item 4 out of 10 into DDB"), Some((4, 10)));
        assert_eq!(put("Starting at 4"), None);
        assert_eq!(put("Successfully PUT item four out of 10 into DDB"), None);
        assert_eq!(put("Successfully PUT items 4 out of 10 into DDB"), None);
    }

    #[test]
    fn the_start_is_said_in_one_of_three_ways() {
        assert_eq!(start("Starting at 0", 10), Some(0));
        assert_eq!(start("Continuing at 5", 10), Some(5));
        assert_eq!(start("Nothing left to do: all 10 items are written", 10), Some(10));
        assert_eq!(start("Starting batch job", 10), None);
        assert_eq!(start("Nothing left to do: the queue is empty", 10), None);
    }

    #[test]
    fn the_last_line_depends_on_how_the_worker_ended() {
        assert!(ends(DONE, Some(0)));
        assert!(ends("Nothing left to do: all 10 items are written", Some(0)));
        assert!(ends("Nothing left to do: the queue is empty", Some(0)));
        assert!(ends("Received SIGTERM: stopping before item 5", Some(143)));
        assert!(!ends("Successfully PUT item 8 out of 10 into DDB", Some(0)));
        assert!(!ends(DONE, Some(143)));
        assert!(!ends(DONE, None));
    }
}
