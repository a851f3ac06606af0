//! An environment: one copy of the lab, and the names of its parts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Stack of the network; shared by all environments.
pub(crate) const NETWORK_STACK: &str = "FisStackVpc";
/// Stack of the default environment, and the start of every other's name.
pub(crate) const WORKSHOP_STACK: &str = "FisStopTaskStack";
/// Cluster of the default environment, and the start of every other's name.
pub(crate) const CLUSTER: &str = "FisStackECS-Cluster";
/// Family of the task definitions of a worker of one's own in the default environment, and the start of every other's name.
pub(crate) const OWN_FAMILY: &str = "FisStopTaskOwnStackTaskDef";
/// Start of the keys of all our tags.
pub(crate) const OUR_TAGS: &str = "fis-workshop:";
/// Tag of both stacks, which CloudFormation passes on to their resources: how `down` finds what survived.
///
/// Never `fisTarget`: on a stack, it would make every resource a target of the experiment.
pub(crate) const ENVIRONMENT_TAG: &str = "fis-workshop:environment";
/// Tag of stacks that `lab` has made and takes down again: a `lab` that was interrupted finds by it what is its own. `up`
/// takes it away, and the stack is a person's from then on.
pub(crate) const MADE_BY_TAG: (&str, &str) = ("fis-workshop:made-by", "lab");
/// Value of [`ENVIRONMENT_TAG`] on the network, which belongs to all environments.
pub(crate) const NETWORK_TAG_VALUE: &str = "@network";

/// Which copy of the lab. The default one has the names of the workshop guide; others have theirs with a suffix.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Environment(String);

impl Environment {
    /// The environment that `lab` works in unless it is told otherwise.
    pub(crate) fn lab() -> Self {
        Self("lab".to_owned())
    }

    /// `count` environments, `PREFIX-01`, `PREFIX-02`, ...: with two digits at least, so that the names of the first
    /// ones do not change when more follow.
    ///
    /// # Errors
    /// When `prefix` makes no valid names.
    pub(crate) fn numbered(prefix: &str, count: u16) -> Result<Vec<Self>, String> {
        (1..=count).map(|number| format!("{prefix}-{number:02}").parse()).collect()
    }

    /// The environment whose stack has this name, if it is one of ours.
    pub(crate) fn of_stack(stack_name: &str) -> Option<Self> {
        Self::of_name(stack_name, WORKSHOP_STACK)
    }

    /// The environment whose cluster has this name, if it is one of ours.
    pub(crate) fn of_cluster(name: &str) -> Option<Self> {
        Self::of_name(name, CLUSTER)
    }

    /// The environment whose own worker's family has this name, if it is one of ours.
    pub(crate) fn of_own_family(name: &str) -> Option<Self> {
        Self::of_name(name, OWN_FAMILY)
    }

    fn of_name(name: &str, start: &str) -> Option<Self> {
        let rest = name.strip_prefix(start)?;
        if rest.is_empty() { Some(Self::default()) } else { rest.strip_prefix('-')?.parse().ok() }
    }

    /// Name of its stack.
    pub(crate) fn stack_name(&self) -> String {
        self.suffixed(WORKSHOP_STACK)
    }

    /// Name of its cluster; fixed in the template, so it is known even when the stack is not complete.
    pub(crate) fn cluster_name(&self) -> String {
        self.suffixed(CLUSTER)
    }

    /// Family of the task definitions of a worker of one's own; it is in no template, as these come and go with the worker.
    pub(crate) fn own_family(&self) -> String {
        self.suffixed(OWN_FAMILY)
    }

    /// Value of the template's parameter `Environment`.
    pub(crate) fn suffix(&self) -> &str {
        &self.0
    }

    /// ` --env NAME` for commands in messages; nothing for the default environment.
    pub(crate) fn flag(&self) -> String {
        if self.0.is_empty() { String::new() } else { format!(" --env {}", self.0) }
    }

    /// What to do when a part of it was deleted by hand.
    pub(crate) fn remedy(&self) -> String {
        format!("`fis-workshop up{}` repairs it", self.flag())
    }

    /// The one of `others` that was probably meant by this name: its number has more or fewer zeros in front, or a letter
    /// is wrong.
    pub(crate) fn likely<'a>(&self, others: &'a [Self]) -> Option<&'a Self> {
        let (letters, number) = self.spelling();
        let slips = usize::from(letters.len() > 2);
        let distance = |other: &Self| {
            let (their_letters, their_number) = other.spelling();
            (number == their_number).then(|| strsim::damerau_levenshtein(&letters, &their_letters))
        };
        let near = others.iter().filter_map(|other| Some((distance(other)?, other)));
        near.filter(|(distance, _)| *distance <= slips).min_by_key(|(distance, _)| *distance).map(|(_, other)| other)
    }

    /// Its letters, and its digits without the zeros in front: `seat` and `7` of `Seat-07`.
    fn spelling(&self) -> (String, String) {
        let (letters, digits): (String, String) =
            self.to_string().to_ascii_lowercase().chars().filter(|c| *c != '-').partition(|c| c.is_ascii_alphabetic());
        (letters, digits.trim_start_matches('0').to_owned())
    }

    fn suffixed(&self, name: &str) -> String {
        if self.0.is_empty() { name.to_owned() } else { format!("{name}-{}", self.0) }
    }
}

impl FromStr for Environment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let edge = |c: char| c.is_ascii_alphanumeric();
        let valid = text.len() <= 32 && text.chars().all(inner) && text.starts_with(edge) && text.ends_with(edge);
        match text {
            "" | "default" => Ok(Self::default()),
            _ if valid => Ok(Self(text.to_owned())),
            _ => Err("an environment's name has 1 to 32 letters, digits and inner hyphens".to_owned()),
        }
    }
}

impl TryFrom<String> for Environment {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Environment> for String {
    fn from(environment: Environment) -> Self {
        environment.to_string()
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "default" } else { &self.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_environment_has_the_names_of_the_guide() {
        let environment: Environment = "default".parse().unwrap();
        assert_eq!(environment.stack_name(), "FisStopTaskStack");
        assert_eq!(environment.cluster_name(), "FisStackECS-Cluster");
        assert_eq!(environment.suffix(), "");
    }

    #[test]
    fn another_one_has_its_name_as_suffix_and_is_found_by_it() {
        let environment: Environment = "team-1".parse().unwrap();
        assert_eq!(environment.stack_name(), "FisStopTaskStack-team-1");
        assert_eq!(Environment::of_stack("FisStopTaskStack-team-1"), Some(environment));
        assert_eq!(Environment::of_stack("FisStopTaskStack"), Some(Environment::default()));
        assert_eq!(Environment::of_stack("FisStopTaskStackOther"), None);
        assert_eq!(Environment::of_stack("FisStackVpc"), None);
    }

    #[test]
    fn numbered_environments_keep_their_names_when_more_follow() {
        let names = |count| Environment::numbered("seat", count).unwrap();
        assert_eq!(names(2).iter().map(ToString::to_string).collect::<Vec<_>>(), ["seat-01", "seat-02"]);
        assert!(names(120).starts_with(&names(9)));
        assert_eq!(names(120)[99].to_string(), "seat-100");
        assert!(Environment::numbered("-seat", 1).is_err());
    }

    #[test]
    fn a_name_that_was_probably_meant_is_found_and_another_one_is_not() {
        let environments =
            |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<Vec<Environment>>();
        let others = environments(&["default", "alice", "seat-01", "seat-07", "seat-17"]);
        let likely = |name: &str| environments(&[name])[0].likely(&others).map(ToString::to_string);
        for (name, meant) in [
            ("seat-7", Some("seat-07")),
            ("Seat07", Some("seat-07")),
            ("saet-07", Some("seat-07")),
            ("seat-1", Some("seat-01")),
            ("alise", Some("alice")),
            ("defualt", Some("default")),
            ("seat-08", None),
            ("seat-99", None),
            ("bob", None),
        ] {
            assert_eq!(likely(name).as_deref(), meant, "{name}");
        }
    }

    #[test]
    fn names_that_cloudformation_would_refuse_are_refused_here() {
        for name in ["-a", "a-", "a_b", "a b", &"x".repeat(33)] {
            assert!(name.parse::<Environment>().is_err(), "{name}");
        }
    }
}
