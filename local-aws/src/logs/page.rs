//! Pages of the service's lists.

use super::refusal::constraint;
use crate::error::ApiError;

/// The page size asked for; `most` is the model's maximum and what AWS takes when nothing is asked.
pub(super) fn limit(asked: Option<i64>, most: usize) -> Result<usize, ApiError> {
    let Some(asked) = asked else { return Ok(most) };
    match usize::try_from(asked) {
        Ok(limit) if (1..=most).contains(&limit) => Ok(limit),
        Ok(limit) if limit > most => {
            Err(constraint("limit", asked, &format!("have value less than or equal to {most}")))
        }
        _ => Err(constraint("limit", asked, "have value greater than or equal to 1")),
    }
}
