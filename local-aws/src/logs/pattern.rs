//! Filter patterns for unstructured text: terms that a message must, must not, or may hold.

use super::refusal::{constraint, invalid};
use crate::error::ApiError;

/// A parsed filter pattern; the empty one matches everything.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Pattern {
    /// `TERM` and `"two words"`: all of them.
    required: Vec<String>,
    /// `-TERM`: none of them.
    excluded: Vec<String>,
    /// `?TERM`: at least one of them.
    optional: Vec<String>,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// AWS's refusal of a malformed pattern; JSON, space-delimited and regular-expression patterns by their names.
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        if text.chars().count() > 1024 {
            return Err(constraint("filterPattern", text, "have length less than or equal to 1024"));
        }
        let mut rest = text.trim_start();
        let unsupported = match rest.chars().next() {
            Some('{') => Some("JSON filter patterns ({ ... }) in FilterLogEvents"),
            Some('[') => Some("Space-delimited filter patterns ([ ... ]) in FilterLogEvents"),
            _ => None,
        };
        if let Some(what) = unsupported {
            return Err(ApiError::unsupported(what));
        }
        let mut pattern = Self::default();
        while let Some(first) = rest.chars().next() {
            let list = match first {
                '-' => &mut pattern.excluded,
                '?' => &mut pattern.optional,
                _ => &mut pattern.required,
            };
            let unsigned = rest.strip_prefix(['-', '?']).unwrap_or(rest);
            let (term, after) = term(unsigned)?;
            list.push(term);
            rest = after.trim_start();
        }
        Ok(pattern)
    }

    /// Whether the message is one that the pattern describes. Terms are case-sensitive.
    pub(super) fn matches(&self, message: &str) -> bool {
        let holds = |term: &String| message.contains(term.as_str());
        // Optional terms count only among themselves: beside terms of another kind AWS ignores them.
        let alone = self.required.is_empty() && self.excluded.is_empty();
        self.required.iter().all(holds)
            && !self.excluded.iter().any(holds)
            && (self.optional.is_empty() || !alone || self.optional.iter().any(holds))
    }
}

/// The term at the start of `text`, and what follows it.
fn term(text: &str) -> Result<(String, &str), ApiError> {
    if text.starts_with('%') {
        return Err(ApiError::unsupported("Regular expressions (%...%) in filter patterns"));
    }
    if let Some(quoted) = text.strip_prefix('"') {
        return quoted_term(quoted);
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (term, after) = text.split_at(end);
    // Without quotes AWS takes words only: anything else is an operator, or a mistake.
    if term.is_empty() || !term.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return Err(invalid(format!(
            "Invalid filter pattern: enclose terms with characters other than letters, digits and underscores in double quotes: {term}"
        )));
    }
    Ok((term.to_owned(), after))
}

/// The rest of a term after its opening quote; `\"` and `\\` stand for a quote and a backslash.
fn quoted_term(text: &str) -> Result<(String, &str), ApiError> {
    let mut term = String::new();
    let mut chars = text.char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '"' => return Ok((term, text.get(index + 1..).unwrap_or_default())),
            '\\' => term.extend(chars.next().map(|(_, escaped)| escaped)),
            _ => term.push(c),
        }
    }
    Err(invalid("Invalid filter pattern: a double quote is not closed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, message: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(message)
    }

    #[test]
    fn terms_are_required_excluded_or_optional() {
        assert!(matches("", "anything"));
        assert!(matches("PUT DDB", "Successfully PUT item 3 out of 10 into DDB"));
        assert!(!matches("PUT S3", "Successfully PUT item 3 out of 10 into DDB"));
        assert!(!matches("put", "Successfully PUT item 3"));
        assert!(matches("\"item 3 out\"", "Successfully PUT item 3 out of 10"));
        assert!(!matches("\"item 4 out\"", "Successfully PUT item 3 out of 10"));
        assert!(matches("PUT -ERROR", "PUT it"));
        assert!(!matches("PUT -ERROR", "PUT it: ERROR"));
        assert!(matches("?ERROR ?WARN", "a WARN"));
        assert!(!matches("?ERROR ?WARN", "an INFO"));
        assert!(matches("?ERROR ?\"two words\"", "these two words"));
        assert!(matches("-\"Starting at\"", "Continuing at 4"));
        assert!(matches(r#""say \"hi\"""#, r#"I say "hi" to you"#));
    }

    #[test]
    fn optional_terms_beside_others_are_ignored_as_on_aws() {
        assert!(matches("?ERROR PUT", "PUT it"));
    }

    #[test]
    fn other_kinds_of_patterns_are_refused_by_name() {
        for (pattern, name) in [("{ $.a = 1 }", "JSON"), ("[ip, user]", "Space-delimited"), ("%a+%", "Regular")] {
            let error = Pattern::parse(pattern).unwrap_err();
            assert!(error.message.contains(name), "{error}");
        }
        for pattern in ["a:b", "-", "\"open", "? a"] {
            assert_eq!(Pattern::parse(pattern).unwrap_err().code, "InvalidParameterException", "{pattern}");
        }
    }
}
