//! CloudFormation's errors that several calls share.

use crate::error::ApiError;

/// CloudFormation has one code for everything that is wrong with a request, a template or the state of a stack.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationError", message)
}

pub(super) fn bad_token(token: &str) -> ApiError {
    invalid(format!("The NextToken {token} is not valid"))
}

/// The name of a stack or change set that is to be made.
pub(super) fn check_name(member: &str, name: &str) -> Result<(), ApiError> {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let rule = if !(plain && name.starts_with(|c: char| c.is_ascii_alphabetic())) {
        // The pattern of `stackName` is that of all calls: what is to be made has no ARN yet.
        let arn = if member == "stackName" { "|arn:[-a-zA-Z0-9:/._+]*" } else { "" };
        format!("satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*{arn}")
    } else if name.len() > 128 {
        "have length less than or equal to 128".to_owned()
    } else {
        return Ok(());
    };
    Err(invalid(format!(
        "1 validation error detected: Value '{name}' at '{member}' failed to satisfy constraint: Member must {rule}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_start_with_a_letter() {
        assert!(check_name("stackName", "FisStackVpc-2").is_ok());
        for name in ["", "2nd", "-a", "a_b", "ä"] {
            assert!(check_name("stackName", name).is_err(), "{name}");
        }
    }
}
