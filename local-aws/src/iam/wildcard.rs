//! `*` and `?` as IAM policies and EC2 filters use them.

/// Whether `text` matches `pattern`, where `*` is any text (also none) and `?` any one character.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where to go on when a literal fails: after the last `*`, one character further in the text.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(&expected) if expected == '?' || expected == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((after_star, from)) => {
                    p = after_star;
                    t = from + 1;
                    retry = Some((after_star, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&rest| rest == '*')
}

/// Whether the ARN matches the pattern part by part: in `ArnLike` a wildcard does not reach over a colon, except in
/// the last part, which may hold colons itself.
pub(crate) fn arn_matches(pattern: &str, arn: &str) -> bool {
    let (patterns, parts): (Vec<&str>, Vec<&str>) = (pattern.splitn(6, ':').collect(), arn.splitn(6, ':').collect());
    patterns.len() == 6 && parts.len() == 6 && patterns.iter().zip(&parts).all(|(pattern, part)| matches(pattern, part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition itself, too slow for long texts.
    fn by_definition(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => (0..=text.len()).any(|skipped| by_definition(rest, &text[skipped..])),
            (Some((expected, rest)), Some((found, others))) => {
                (*expected == '?' || expected == found) && by_definition(rest, others)
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[ab*?]{0,8}", text in "[ab]{0,10}") {
            let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(matches(&pattern, &text), by_definition(&p, &t));
        }

        #[test]
        fn a_text_without_wildcards_matches_itself_only(text in "[a-z:/-]{0,12}", other in "[a-z:/-]{0,12}") {
            prop_assert!(matches(&text, &text));
            prop_assert_eq!(matches(&text, &other), text == other);
        }

        #[test]
        fn a_text_with_a_part_replaced_by_a_star_still_matches(head in "[a-z:]{0,6}", part in "[a-z:]{0,6}", tail in "[a-z:]{0,6}") {
            let text = format!("{head}{part}{tail}");
            let pattern = format!("{head}*{tail}");
            prop_assert!(matches(&pattern, &text));
        }
    }

    #[test]
    fn a_wildcard_of_an_arn_pattern_stays_in_its_part() {
        let arn = "arn:aws:fis:us-east-1:000000000000:experiment/EXPabc";
        assert!(arn_matches("arn:aws:fis:*:000000000000:experiment/*", arn));
        assert!(!arn_matches("arn:aws:fis:*:experiment/*", arn));
        assert!(!arn_matches("arn:*:experiment/*", arn));
        assert!(arn_matches("arn:aws:logs:*:*:log-group:*", "arn:aws:logs:us-east-1:000000000000:log-group:a:b"));
    }
}
