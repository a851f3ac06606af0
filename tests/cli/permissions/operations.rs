//! AWS's own list of which actions an operation may need, and when: a judge that knows nothing of the policies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

/// The part of the Service Authorization Reference that the program's calls are in, with source and date.
#[derive(Deserialize)]
struct Reference {
    operations: BTreeMap<String, Operation>,
    /// Functions and references of CloudFormation templates.
    functions: BTreeMap<String, Operation>,
}

#[derive(Deserialize)]
struct Operation {
    actions: BTreeSet<String>,
}

static REFERENCE: LazyLock<Reference> =
    LazyLock::new(|| serde_json::from_str(include_str!("operations.json")).unwrap());

/// The file names all that an operation may need over all inputs. With these it depends on one member of the input.
const DEPENDS: &[(&str, &str, Member)] = &[
    ("cloudformation:ContinueUpdateRollback", "iam:PassRole", Member::Given("RoleARN")),
    ("cloudformation:CreateChangeSet", "iam:PassRole", Member::Given("RoleARN")),
    ("cloudformation:DeleteStack", "iam:PassRole", Member::Given("RoleARN")),
    ("cloudformation:DescribeStacks", "cloudformation:ListStacks", Member::Missing("StackName")),
    ("fis:StartExperiment", "fis:TagResource", Member::Given("tags")),
    ("logs:FilterLogEvents", "logs:Unmask", Member::Given("unmask")),
    ("logs:GetLogEvents", "logs:Unmask", Member::Given("unmask")),
];

/// Asked of somebody else, or of nobody.
const NOT_OF_THE_CALLER: &[(&str, &str)] = &[
    // Of the service that replicates a global table.
    ("dynamodb:DescribeTable", "dynamodb:ReadDataForReplication"),
    ("dynamodb:DescribeTable", "dynamodb:ReplicateSettings"),
    ("dynamodb:GetItem", "dynamodb:ReadDataForReplication"),
    ("dynamodb:PutItem", "dynamodb:WriteDataForReplication"),
    // AWS answers it even when a policy denies it.
    ("sts:GetCallerIdentity", "sts:GetCallerIdentity"),
];

#[derive(Clone, Copy)]
enum Member {
    Given(&'static str),
    Missing(&'static str),
}

/// What a call of `operation` (`ecs:RunTask`) needs whose input has the members that `has` says.
pub(super) fn actions(operation: &str, has: impl Fn(&str) -> bool) -> BTreeSet<&'static str> {
    let of_some = |action: &&str| {
        let depends = DEPENDS.iter().find(|(of, on, _)| (*of, *on) == (operation, *action));
        depends.is_none_or(|(_, _, member)| match member {
            Member::Given(member) => has(member),
            Member::Missing(member) => !has(member),
        })
    };
    let listed = REFERENCE.operations.get(operation);
    let listed = listed.unwrap_or_else(|| panic!("{operation} is not in operations.json"));
    let of_caller = |action: &&str| !NOT_OF_THE_CALLER.contains(&(operation, *action));
    listed.actions.iter().map(String::as_str).filter(of_caller).filter(of_some).collect()
}

/// What CloudFormation needs for the functions of a template, of whoever has it make the stack.
pub(super) fn of_functions(template: &str) -> BTreeSet<&'static str> {
    // `Fn::GetAZs` is `!GetAZs` in YAML; `{{resolve:ssm:...}}` has a name in place of the dots.
    let short = |name: &str| name.replace("Fn::", "!").split("...").next().unwrap_or_default().to_owned();
    let used =
        REFERENCE.functions.iter().filter(|(name, _)| template.contains(&short(name)) || template.contains(*name));
    used.flat_map(|(_, function)| function.actions.iter().map(String::as_str)).collect()
}

/// Every row above is about something that the file says.
#[test]
fn what_is_left_out_is_in_the_list() {
    let known = |operation: &str, action: &str| REFERENCE.operations[operation].actions.contains(action);
    assert!(DEPENDS.iter().all(|(operation, action, _)| known(operation, action)));
    assert!(NOT_OF_THE_CALLER.iter().all(|(operation, action)| known(operation, action)));
}
