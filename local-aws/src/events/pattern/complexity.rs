//! How much work wildcards make: AWS refuses a pattern for which some value would be in too many places of them at once.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::matcher::{Matcher, Text};
use super::refusal::invalid;
use super::wildcard::Wildcard;
use crate::error::ApiError;

/// The most places at once, over all wildcards of a field. AWS does not say the number; this one agrees with what it is
/// known to have accepted and refused.
const MOST_PLACES: usize = 10;

/// How many sets of places are looked at before it is too much work to find out.
const MOST_SETS: usize = 20_000;

/// A character of a wildcard, or a star (`None`); with the quotes of a string, which count.
type Tokens = Vec<Option<char>>;

/// How far a value has come in which wildcard, in order.
type Places = Vec<(usize, usize)>;

/// # Errors
/// AWS's refusal.
pub(super) fn check(matchers: &[Matcher]) -> Result<(), ApiError> {
    let mut wildcards = Vec::new();
    for (number, matcher) in matchers.iter().enumerate() {
        let several = match matcher {
            Matcher::AnythingBut(refused) => refused.as_slice(),
            one => std::slice::from_ref(one),
        };
        for one in several {
            if let Matcher::Text(Text::Wildcard(wildcard)) = one {
                wildcards.push((number, tokens(wildcard)));
            }
        }
    }
    if most(&wildcards) <= MOST_PLACES || is_simple(&wildcards) {
        return Ok(());
    }
    Err(invalid(
        "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character",
    ))
}

fn tokens(wildcard: &Wildcard) -> Tokens {
    let mut tokens = vec![Some('"')];
    for (number, part) in wildcard.parts().iter().enumerate() {
        if number > 0 {
            tokens.push(None);
        }
        tokens.extend(part.chars().map(Some));
    }
    tokens.push(Some('"'));
    tokens
}

/// More than there can be, and quickly counted: all stars, and all places behind the one character that came last.
fn most(wildcards: &[(usize, Tokens)]) -> usize {
    let mut counts = BTreeMap::<Option<char>, usize>::new();
    for token in wildcards.iter().flat_map(|(_, tokens)| &tokens[1..]) {
        *counts.entry(*token).or_default() += 1;
    }
    let stars = counts.remove(&None).unwrap_or_default();
    stars + counts.into_values().max().unwrap_or_default()
}

/// Follows every value that makes a difference, all wildcards at once.
fn is_simple(wildcards: &[(usize, Tokens)]) -> bool {
    // `None`: a character that is in none of them.
    let alphabet: BTreeSet<Option<char>> = wildcards.iter().flat_map(|(_, tokens)| tokens.iter().copied()).collect();
    let start: Places = (0..wildcards.len()).map(|wildcard| (wildcard, 0)).collect();
    let mut seen = HashSet::from([start.clone()]);
    let mut waiting = vec![start];
    while let Some(places) = waiting.pop() {
        for character in &alphabet {
            let next = after(wildcards, &places, *character);
            if count(wildcards, &next) > MOST_PLACES || seen.len() > MOST_SETS {
                return false;
            }
            if !next.is_empty() && seen.insert(next.clone()) {
                waiting.push(next);
            }
        }
    }
    true
}

fn after(wildcards: &[(usize, Tokens)], places: &Places, character: Option<char>) -> Places {
    let mut next = Places::new();
    for (wildcard, place) in places {
        let tokens = &wildcards[*wildcard].1;
        // Behind a star one stays there with whatever comes.
        if *place > 0 && tokens[*place - 1].is_none() {
            next.push((*wildcard, *place));
        }
        if let Some(Some(literal)) = tokens.get(*place)
            && Some(*literal) == character
        {
            next.push((*wildcard, *place + 1));
            // A star stands for nothing too.
            if tokens.get(*place + 1) == Some(&None) {
                next.push((*wildcard, *place + 2));
            }
        }
    }
    next.sort_unstable();
    next.dedup();
    next
}

/// Wildcards of one `anything-but` share the places up to their first star.
fn count(wildcards: &[(usize, Tokens)], places: &Places) -> usize {
    if places.len() <= MOST_PLACES {
        return places.len();
    }
    let name = |(wildcard, place): &(usize, usize)| {
        let (matcher, tokens) = &wildcards[*wildcard];
        let before = &tokens[..*place];
        let is_shared = before.iter().rev().skip(1).all(Option::is_some);
        (*matcher, if is_shared { Ok(before) } else { Err((*wildcard, *place)) })
    };
    places.iter().map(name).collect::<BTreeSet<_>>().len()
}
