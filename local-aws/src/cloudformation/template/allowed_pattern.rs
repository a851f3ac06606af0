//! `AllowedPattern` of a parameter: a regular expression of Java's kind.

use fancy_regex::{Regex, RegexBuilder};

/// Bytes of a compiled pattern: `[a-z]{0,100}{0,100}{0,100}` is a million alternatives.
const MAX_SIZE: usize = 1024 * 1024;

/// Steps back before a pattern is given up. AWS's Java has no such bound, and no template that means something comes near.
const MAX_STEPS: usize = 100_000;

/// The pattern for the whole value: CloudFormation wants it all to match.
pub(super) fn whole(pattern: &str) -> Result<Regex, fancy_regex::Error> {
    RegexBuilder::new(&format!("^(?:{})$", with_literal_hyphens(pattern)))
        .backtrack_limit(MAX_STEPS)
        .delegate_size_limit(MAX_SIZE)
        .delegate_dfa_size_limit(MAX_SIZE)
        .build()
}

/// The pattern with `[\w-+]` written as `[\w\-+]`: CloudFormation's patterns are Java's, where a hyphen behind a class of
/// characters is only a hyphen.
fn with_literal_hyphens(pattern: &str) -> String {
    let mut result = String::with_capacity(pattern.len());
    let mut in_brackets = false;
    let mut after_class = false;
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if in_brackets && after_class && character == '-' {
            result.push('\\');
        }
        result.push(character);
        after_class = false;
        match character {
            '\\' => {
                let escaped = characters.next();
                after_class = escaped.is_some_and(|escaped| matches!(escaped, 'w' | 'W' | 'd' | 'D' | 's' | 'S'));
                result.extend(escaped);
            }
            '[' => in_brackets = true,
            ']' => in_brackets = false,
            _ => {}
        }
    }
    result
}
