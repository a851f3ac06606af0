//! The text of `Fn::Sub`.

use super::place::Place;
use crate::error::ApiError;

/// A piece of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Literal(&'a str),
    /// `${Name}`, `${Resource.Attribute}`, `${AWS::Region}`.
    Variable(&'a str),
    /// `${!Literal}`, which gives `${Literal}`.
    Escaped(&'a str),
}

/// Cuts the text into its pieces.
pub(super) fn pieces<'a>(place: &Place<'_>, text: &'a str) -> Result<Vec<Piece<'a>>, ApiError> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((literal, behind)) = rest.split_once("${") {
        // Without a closing brace it is only text.
        let Some((name, after)) = behind.split_once('}') else { break };
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        if let Some(escaped) = name.strip_prefix('!') {
            pieces.push(Piece::Escaped(escaped));
        } else if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':')) {
            pieces.push(Piece::Variable(name));
        } else {
            return Err(place.error(
                "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, \
                 periods, and colons",
            ));
        }
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest));
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        use Piece::{Escaped, Literal, Variable};
        let cases: [(&str, &[Piece<'_>]); 8] = [
            ("", &[]),
            ("plain $ {text} $x", &[Literal("plain $ {text} $x")]),
            ("${A}", &[Variable("A")]),
            ("a${A.B.C}b${AWS::Region}", &[Literal("a"), Variable("A.B.C"), Literal("b"), Variable("AWS::Region")]),
            ("${!A}${A}", &[Escaped("A"), Variable("A")]),
            ("$${A}", &[Literal("$"), Variable("A")]),
            ("${A", &[Literal("${A")]),
            ("${A}${B", &[Variable("A"), Literal("${B")]),
        ];
        for (text, expected) in cases {
            assert_eq!(pieces(&Place::root("here"), text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn names_that_are_none() {
        for text in ["${}", "${ A }", "${A-B}", "${A${B}}"] {
            let error = pieces(&Place::root("here"), text).unwrap_err();
            assert!(error.message.contains("variable names in Fn::Sub"), "{text}: {error}");
        }
    }
}
