//! What a status of CloudFormation means: one table for stacks and their resources.

use anstyle::{AnsiColor, Style};
use aws_sdk_cloudformation::types::StackStatus;

/// The kinds of status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Category {
    /// As it should be.
    Complete,
    /// On its way to that.
    Busy,
    /// On its way back, or back, from something that failed; what was there before is there again.
    RolledBack,
    /// Failed and left so.
    Failed,
    /// Not there any more.
    Gone,
    /// A stack that only has a change set.
    Review,
}

/// What is known about a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub(crate) category: Category,
    /// Readable without colour.
    pub(crate) symbol: char,
    /// Colour of the symbol.
    pub(crate) style: Style,
    /// Nothing changes any more unless somebody asks for it.
    pub(crate) settled: bool,
}

/// What `status` means. A status that AWS adds later is busy if its name says so, and failed otherwise.
pub(crate) fn meaning(status: &str) -> Meaning {
    use Category::{Busy, Complete, Failed, Gone, Review, RolledBack};
    let category = match status {
        "REVIEW_IN_PROGRESS" => Review,
        "DELETE_COMPLETE" | "DELETE_SKIPPED" => Gone,
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" => Complete,
        _ if status.contains("ROLLBACK") && !status.ends_with("FAILED") => RolledBack,
        _ if status.ends_with("IN_PROGRESS") => Busy,
        _ => Failed,
    };
    let (symbol, colour) = match category {
        Complete => ('✓', AnsiColor::Green),
        Busy => ('…', AnsiColor::Cyan),
        RolledBack => ('↺', AnsiColor::Yellow),
        Failed => ('✗', AnsiColor::Red),
        Gone => ('-', AnsiColor::BrightBlack),
        Review => ('?', AnsiColor::Yellow),
    };
    let settled = !status.ends_with("IN_PROGRESS") || category == Review;
    Meaning { category, symbol, style: colour.on_default(), settled }
}

/// Whether a stack in this status takes an update; the others have to be deleted first.
pub(crate) fn is_updatable(status: &StackStatus) -> bool {
    use StackStatus::{
        CreateComplete, ImportComplete, ImportRollbackComplete, UpdateComplete, UpdateFailed, UpdateRollbackComplete,
    };
    matches!(
        status,
        CreateComplete
            | UpdateComplete
            | ImportComplete
            | UpdateRollbackComplete
            | ImportRollbackComplete
            | UpdateFailed
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stack_status_of_aws_has_its_meaning() {
        use Category::{Busy, Complete, Failed, Gone, Review, RolledBack};
        let table = [
            ("CREATE_IN_PROGRESS", Busy, false, false),
            ("CREATE_FAILED", Failed, true, false),
            ("CREATE_COMPLETE", Complete, true, true),
            ("ROLLBACK_IN_PROGRESS", RolledBack, false, false),
            ("ROLLBACK_FAILED", Failed, true, false),
            ("ROLLBACK_COMPLETE", RolledBack, true, false),
            ("DELETE_IN_PROGRESS", Busy, false, false),
            ("DELETE_FAILED", Failed, true, false),
            ("DELETE_COMPLETE", Gone, true, false),
            ("UPDATE_IN_PROGRESS", Busy, false, false),
            ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", Busy, false, false),
            ("UPDATE_COMPLETE", Complete, true, true),
            ("UPDATE_FAILED", Failed, true, true),
            ("UPDATE_ROLLBACK_IN_PROGRESS", RolledBack, false, false),
            ("UPDATE_ROLLBACK_FAILED", Failed, true, false),
            ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", RolledBack, false, false),
            ("UPDATE_ROLLBACK_COMPLETE", RolledBack, true, true),
            ("REVIEW_IN_PROGRESS", Review, true, false),
            ("IMPORT_IN_PROGRESS", Busy, false, false),
            ("IMPORT_COMPLETE", Complete, true, true),
            ("IMPORT_ROLLBACK_IN_PROGRESS", RolledBack, false, false),
            ("IMPORT_ROLLBACK_FAILED", Failed, true, false),
            ("IMPORT_ROLLBACK_COMPLETE", RolledBack, true, true),
        ];
        for (status, category, settled, updatable) in table {
            let found = meaning(status);
            assert_eq!((found.category, found.settled), (category, settled), "{status}");
            assert_eq!(is_updatable(&status.into()), updatable, "{status}");
        }
    }
}
