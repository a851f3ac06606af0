//! Lists in pages.

use super::refusal::{constraint, invalid};
use crate::error::ApiError;
use crate::paging;
use crate::store::Record;

/// How many items a call wants.
pub(super) fn limit(asked: Option<i64>, most: i64) -> Result<usize, ApiError> {
    let Some(asked) = asked else { return Ok(50) };
    let rule = match asked {
        ..1 => "have value greater than or equal to 1".to_owned(),
        asked if asked > most => format!("have value less than or equal to {most}"),
        asked => return Ok(usize::try_from(asked).unwrap_or(50)),
    };
    Err(constraint("maxItems", asked, &rule))
}

/// The records behind `marker`, and the next marker if there are more.
pub(super) fn next_page<R: Record>(
    records: Vec<R>,
    marker: Option<&str>,
    limit: usize,
) -> Result<(Vec<R>, Option<String>), ApiError> {
    paging::page(records, R::id, false, marker.filter(|it| !it.is_empty()), limit, || invalid("Invalid Marker."))
}
