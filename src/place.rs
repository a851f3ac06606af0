//! Where the person has said to work. Commands in messages get the same flags: typed as they stand, they must not go
//! somewhere else.

/// Verbs that work nowhere.
const NOWHERE: [&str; 4] = ["completions", "man", "render", "source"];

/// Verbs that work somewhere, but in no environment.
const NO_ENVIRONMENT: [&str; 2] = ["image", "local"];

/// What says in another way which environments are meant.
const ENVIRONMENTS: [&str; 3] = ["--env", "--count", "--all"];

/// Flags of the command line, in the order in which they are repeated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place(Vec<(&'static str, String)>);

impl Place {
    /// Notes a flag. What a variable says already holds for the next command, too.
    pub(crate) fn note(&mut self, flag: &'static str, variable: &str, value: Option<String>) {
        if let Some(value) = value.filter(|value| std::env::var(variable).ok().as_ref() != Some(value)) {
            self.0.push((flag, value));
        }
    }

    /// `text` with the flags in each command of ours that it names in backticks.
    pub(crate) fn complete(&self, text: &str) -> String {
        // Every other piece is between backticks.
        let pieces = text.split('`').enumerate();
        let pieces = pieces.map(|(number, piece)| if number % 2 == 1 { self.repeat(piece) } else { piece.to_owned() });
        pieces.collect::<Vec<_>>().join("`")
    }

    /// The command with the flags, if it is one of ours.
    pub(crate) fn repeat(&self, code: &str) -> String {
        let mut words = code.split(' ');
        let (program, verb) = (words.next(), words.next().unwrap_or_default());
        if program != Some("fis-workshop") || NOWHERE.contains(&verb) {
            return code.to_owned();
        }
        let is_wanted = |flag: &str| match flag {
            "--env" => !NO_ENVIRONMENT.contains(&verb) && ENVIRONMENTS.iter().all(|flag| !code.contains(flag)),
            "--state-dir" => !code.contains(flag),
            _ => !code.contains(flag) && verb != "local",
        };
        let wanted = self.0.iter().filter(|(flag, _)| is_wanted(flag));
        // No command line holds a NUL, the one thing that cannot be quoted.
        let quoted = |value| shlex::try_quote(value).unwrap_or_default();
        wanted.fold(code.to_owned(), |code, (flag, value)| format!("{code} {flag} {}", quoted(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(flags: &[(&'static str, &str)]) -> Place {
        Place(flags.iter().map(|(flag, value)| (*flag, (*value).to_owned())).collect())
    }

    #[test]
    fn a_command_in_a_message_goes_to_the_same_place() {
        let place = place(&[("--target", "aws"), ("--profile", "my class"), ("--state-dir", "/s")]);
        for (text, complete) in [
            (
                "Repeat `fis-workshop down --all`.",
                "Repeat `fis-workshop down --all --target aws --profile 'my class' --state-dir /s`.",
            ),
            (
                "`fis-workshop up --target local` then `aws s3 ls`",
                "`fis-workshop up --target local --profile 'my class' --state-dir /s` then `aws s3 ls`",
            ),
            (
                "`fis-workshop local stop`, `fis-workshop man`",
                "`fis-workshop local stop --state-dir /s`, `fis-workshop man`",
            ),
            ("no command: fis-workshop up", "no command: fis-workshop up"),
            ("one ` only: fis-workshop up", "one ` only: fis-workshop up"),
        ] {
            assert_eq!(place.complete(text), complete);
        }
        assert_eq!(Place::default().complete("`fis-workshop up`"), "`fis-workshop up`");
    }

    #[test]
    fn a_command_in_a_message_works_in_the_same_environment() {
        let place = self::place(&[("--env", "alice")]);
        for (text, complete) in [
            ("`fis-workshop down`", "`fis-workshop down --env alice`"),
            ("`fis-workshop down --env carol`", "`fis-workshop down --env carol`"),
            (
                "`fis-workshop down --all`, `fis-workshop image push`",
                "`fis-workshop down --all`, `fis-workshop image push`",
            ),
        ] {
            assert_eq!(place.complete(text), complete);
        }
    }
}
