//! The environments that exist: for commands that work in one, and make none.

use crate::aws::clients::Clients;
use crate::aws::stack;
use crate::environment::Environment;
use crate::error::{Error, Result};

/// Every environment that exists, by name.
pub(super) async fn all(clients: &Clients) -> Result<Vec<Environment>> {
    let stacks = stack::all(clients).await?;
    let mut environments: Vec<_> = stacks.iter().filter_map(|stack| Environment::of_stack(&stack.name)).collect();
    environments.sort_by_key(ToString::to_string);
    Ok(environments)
}

/// The error of a command that needs an environment which does not exist.
pub(super) fn missing(environment: &Environment, others: &[Environment]) -> Error {
    Error::failed(format!(
        "The environment {environment} is not set up: there is no stack {}.",
        environment.stack_name()
    ))
    .hint(advice(environment, others))
}

/// Refuses, for a command that makes what does not exist, names that were probably meant otherwise.
///
/// # Errors
/// When there is such a name.
pub(super) async fn refuse_misspelt(clients: &Clients, environments: &[Environment]) -> Result<()> {
    let others = all(clients).await?;
    let misspelt = |it: &&Environment| !others.contains(it) && it.likely(&others).is_some();
    environments.iter().find(misspelt).map_or(Ok(()), |it| Err(missing(it, &others)))
}

/// What to do about an environment that does not exist: the one that was probably meant, or how to set it up and which
/// others there are.
pub(super) fn advice(environment: &Environment, others: &[Environment]) -> String {
    const SHOWN: usize = 5;
    if let Some(likely) = environment.likely(others) {
        return format!("Did you mean `--env {likely}`?");
    }
    let up = format!("`fis-workshop up{}` sets it up.", environment.flag());
    if others.is_empty() {
        return up;
    }
    let names: Vec<_> = others.iter().take(SHOWN).map(ToString::to_string).collect();
    let more = others.len().saturating_sub(SHOWN);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{up} `--env` chooses one that is set up: {}{more}.", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_that_was_meant_is_named_or_all_that_there_are() {
        let others = Environment::numbered("seat", 7).unwrap();
        let advice = |name: &str, others| advice(&name.parse().unwrap(), others);
        assert_eq!(advice("seat-7", &others), "Did you mean `--env seat-07`?");
        assert_eq!(
            advice("default", &others),
            "`fis-workshop up` sets it up. `--env` chooses one that is set up: seat-01, seat-02, seat-03, \
             seat-04, seat-05 and 2 more."
        );
        assert_eq!(advice("bob", &[]), "`fis-workshop up --env bob` sets it up.");
    }
}
