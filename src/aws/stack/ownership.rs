//! Which stacks are ours to change, and which may be deleted.

use super::Stack;
use crate::environment::ENVIRONMENT_TAG;
use crate::error::{Error, Result};

/// The name alone proves nothing: another tool, or another person, may have a stack that is called so.
///
/// # Errors
/// When the stack does not carry our tag. A stack that has nothing but change sets belongs to nobody yet.
pub(crate) fn check_ours(stack: &Stack) -> Result<()> {
    if stack.is_shell() || stack.tags.contains_key(ENVIRONMENT_TAG) {
        return Ok(());
    }
    Err(Error::failed(format!("The stack {} was not made by fis-workshop; it was left as it is.", stack.name))
        .cause(format_args!("it does not carry the tag {ENVIRONMENT_TAG}"))
        .hint(
            "Choose another environment with `--env`, or another region. If the stack was made from these templates by \
             hand, give it the tag: `aws cloudformation deploy --tags fis-workshop:environment=NAME ...` (`@network` for \
             the network's).",
        ))
}

/// Asked before anything is stopped, so that nothing is half taken down.
///
/// # Errors
/// When it is not ours, or protected.
pub(crate) fn check_deletable(stack: &Stack) -> Result<()> {
    check_ours(stack)?;
    if !stack.termination_protection {
        return Ok(());
    }
    Err(Error::failed(format!("The stack {} is protected against deletion; nothing was changed.", stack.name))
        .cause("its termination protection is enabled")
        .hint(format!(
            "If it may go: `aws cloudformation update-termination-protection --no-enable-termination-protection \
             --stack-name {}`, then repeat the command.",
            stack.name
        )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_stack_with_our_tag_is_ours_and_a_protected_one_stays() {
        let mut stack = Stack::named("FisStackVpc");
        assert!(check_ours(&stack).is_err());
        stack.tags.insert(ENVIRONMENT_TAG.into(), "@network".into());
        assert!(check_deletable(&stack).is_ok());
        stack.termination_protection = true;
        assert!(check_ours(&stack).is_ok());
        let report = check_deletable(&stack).unwrap_err().report(crate::target::Target::Aws);
        assert!(report.contains("--no-enable-termination-protection --stack-name FisStackVpc"), "{report}");
    }
}
