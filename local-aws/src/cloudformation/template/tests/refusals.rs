//! What is no template, and what `validate` finds before anything is created.

use std::collections::{BTreeMap, BTreeSet};

use super::{Template, within};
use crate::ApiError;
use crate::cloudformation::schema::Schemas;
use crate::cloudformation::template::{dependencies::dependencies, validate};

fn parse_error(body: &str) -> String {
    Template::parse(body).expect_err(body).message
}

#[test]
fn sections() {
    let resources = "Resources:\n  A: {Type: AWS::Logs::LogGroup}\n";
    for (body, words) in [
        ("Description: nothing\n".to_owned(), "At least one Resources member must be defined."),
        ("Resources: {}\n".to_owned(), "At least one Resources member must be defined."),
        ("Resources: [a]\n".to_owned(), "an object is required here (Resources)"),
        (
            format!("AWSTemplateFormatVersion: 2010-09-10\n{resources}"),
            "2010-09-10 is not a supported value for AWSTemplateFormatVersion.",
        ),
        (format!("Foo: 1\nBar: 2\n{resources}"), "Invalid template property or properties [Bar, Foo]"),
        (
            format!("Transform: AWS::LanguageExtensions\n{resources}"),
            "The Transform section of a template is not supported",
        ),
        (format!("Rules: {{}}\n{resources}"), "The Rules section of a template is not supported"),
        (format!("Hooks: {{}}\n{resources}"), "The Hooks section of a template is not supported"),
        (format!("Description: [a]\n{resources}"), "Description must be a string"),
        (
            format!("Mappings:\n  M: {{a: {{b: {{c: d}}}}}}\n{resources}"),
            "Every Mappings attribute must be a String or a List. (Mappings/M/a/b)",
        ),
        (format!("Mappings:\n  M: {{a: b}}\n{resources}"), "Every Mappings member a must be a map (Mappings/M/a)"),
        (
            format!("Mappings:\n  M: {{a: {{b: !Ref X}}}}\n{resources}"),
            "Every Mappings attribute must be a String or a List.",
        ),
        ("Resources:\n  A-B: {Type: AWS::Logs::LogGroup}\n".to_owned(), "Resource name A-B is non alphanumeric."),
        (format!("{resources}Outputs:\n  a_b: {{Value: x}}\n"), "Output name a_b is non alphanumeric."),
        (format!("{resources}Outputs:\n  A: {{Description: x}}\n"), "Every Outputs member must contain a Value object"),
        (format!("{resources}Outputs:\n  A: {{Value: x, Foo: x}}\n"), "Unrecognized output attribute Foo"),
        (
            format!("{resources}Outputs:\n  A: {{Value: x, Export: x}}\n"),
            "an object is required here (Outputs/A/Export)",
        ),
        (
            "Resources:\n  Fn::ForEach::X: [A, [b], {}]\n".to_owned(),
            "Fn::ForEach is not supported by the local endpoint",
        ),
        (format!("Parameters:\n  A: {{Type: String}}\n{resources}"), "a parameter and a resource have the same name A"),
        (
            "Resources:\n  A: {Properties: {}}\n".to_owned(),
            "Template format error: [/Resources/A] Every Resources object must contain a Type member.",
        ),
    ] {
        assert!(parse_error(&body).contains(words), "{body}: {}", parse_error(&body));
    }
    for (attribute, words) in [
        (
            "CreationPolicy: {}",
            "The resource attribute CreationPolicy is not supported by the local endpoint (Resources/A/CreationPolicy)",
        ),
        ("UpdatePolicy: {}", "The resource attribute UpdatePolicy is not supported"),
        ("Foo: 1", "Invalid template resource property 'Foo'"),
        ("Properties: []", "an object is required here (Resources/A/Properties)"),
        ("DependsOn: {a: b}", "Every DependsOn value must be a string or a list of strings."),
        ("DependsOn: [5]", "Every DependsOn value must be"),
        ("Condition: [a]", "Every Condition member must be a string."),
        ("DeletionPolicy: Snapshot", "does not support deletion policy Snapshot (Resources/A/DeletionPolicy)"),
        ("DeletionPolicy: Keep", "Unrecognized DeletionPolicy Keep"),
        ("UpdateReplacePolicy: RetainExceptOnCreate", "Unrecognized DeletionPolicy RetainExceptOnCreate"),
    ] {
        let body = format!("Resources:\n  A:\n    Type: AWS::Logs::LogGroup\n    {attribute}\n");
        assert!(parse_error(&body).contains(words), "{attribute}: {}", parse_error(&body));
    }
    let many: String = (0..501).map(|n| format!("  A{n}: {{Type: a}}\n")).collect();
    assert!(
        parse_error(&format!("Resources:\n{many}"))
            .contains("Number of resources, 501, is greater than maximum allowed, 500")
    );
}

fn check(body: &str) -> Result<(), ApiError> {
    let template = Template::parse(body)?;
    validate::references(&template, &Schemas::default(), &|name| name.starts_with("AWS::").then_some(&[]))
}

#[test]
fn references_that_lead_nowhere() {
    let log_group = |rest: &str| {
        format!("Resources:\n  A: {{Type: AWS::Logs::LogGroup}}\n  B:\n    Type: AWS::Logs::LogGroup\n{rest}")
    };
    for (body, words) in [
        (
            log_group("    Properties: {LogGroupName: !Ref X, KmsKeyId: !Sub '${Y}${X}'}\n"),
            "Template format error: Unresolved resource dependencies [X, Y] in the Resources block of the template \
             (Resources/B/Properties/",
        ),
        (
            log_group("    DependsOn: X\n"),
            "Unresolved resource dependencies [X] in the Resources block of the template (Resources/B/DependsOn)",
        ),
        (log_group("    Metadata: {a: !Ref X}\n"), "Unresolved resource dependencies [X]"),
        (
            log_group("    Properties: {LogGroupName: !GetAtt X.Arn}\n"),
            "Template error: instance of Fn::GetAtt references undefined resource X (Resources/B/Properties/LogGroupName)",
        ),
        (
            log_group("    Properties: {LogGroupName: !GetAtt A.Name}\n"),
            "Template error: resource A does not support attribute type Name in Fn::GetAtt",
        ),
        (log_group("    Properties: {LogGroupName: !Sub '${A.Name}'}\n"), "does not support attribute type Name"),
        (log_group("    Condition: X\n"), "Unresolved condition dependency X in the Resources block of the template"),
        (log_group("    Properties: {LogGroupName: !If [X, a, b]}\n"), "Unresolved condition dependency X"),
        (log_group("    Properties: {LogGroupName: !FindInMap [M, a, b]}\n"), "Mapping named 'M' is not present"),
        (
            log_group("    Properties: {LogGroupName: {'Fn::ImportValue': !Ref A}}\n"),
            "the attribute in Fn::ImportValue must not depend on any resources",
        ),
        (log_group("    Properties: {LogGroupName: !And [a, b]}\n"), "Fn::And is only allowed in the Conditions block"),
        (
            log_group("Outputs:\n  O: {Value: !Ref X}\n"),
            "Unresolved resource dependencies [X] in the Outputs block of the template (Outputs/O/Value)",
        ),
        (
            log_group("Outputs:\n  O: {Value: a, Condition: X}\n"),
            "Unresolved condition dependency X in the Outputs block",
        ),
        (
            log_group("Outputs:\n  O: {Value: a, Export: {Name: !Ref A}}\n"),
            "Export names must not depend on any resources",
        ),
        (log_group("Conditions:\n  C: !Equals [!Ref A, b]\n"), "Cannot reference resources in the Conditions block"),
        (
            log_group("Conditions:\n  C: !Condition D\n  D: !Not [!Condition C]\n"),
            "Circular dependency between conditions: [C, D]",
        ),
        (
            "Resources:\n  A: {Type: AWS::Foo::Bar}\n  B: {Type: Custom::It}\n".to_owned(),
            "Template format error: Unrecognized resource types: [AWS::Foo::Bar, Custom::It]",
        ),
        (log_group("    DependsOn: B\n"), "Circular dependency between resources: [B]"),
        (
            log_group("    Properties: {LogGroupName: !Ref C}\n  C: {Type: AWS::Logs::LogGroup, DependsOn: B}\n"),
            "Circular dependency between resources: [B, C]",
        ),
    ] {
        let error = check(&body).expect_err(&body);
        assert!(error.message.contains(words), "{body}: {}", error.message);
    }
    check(&log_group("    Properties: {LogGroupName: !Sub ['${X}${AWS::Region}', {X: !Ref A}]}\n")).unwrap();
}

#[test]
fn dependencies_follow_the_conditions() {
    let body = "
Conditions:
  Yes1: !Equals [a, a]
  No1: !Equals [a, b]
Resources:
  A: {Type: AWS::Logs::LogGroup}
  B: {Type: AWS::Logs::LogGroup, Condition: No1}
  C:
    Type: AWS::Logs::LogGroup
    DependsOn: [B]
    Metadata: {seen: !Ref A}
    Properties: {LogGroupName: !If [Yes1, plain, !Ref D]}
  D:
    Type: AWS::Logs::LogGroup
    Properties: {LogGroupName: !Sub '${C}-${A.Arn}'}
";
    let edges = within(body, &BTreeMap::new(), true, |scope| dependencies(scope.template, scope.conditions)).unwrap();
    let of = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let expected = [("A", of(&[])), ("C", of(&["A"])), ("D", of(&["A", "C"]))];
    assert_eq!(edges, expected.into_iter().map(|(name, needed)| (name.to_owned(), needed)).collect());
    // Whatever the condition is, CloudFormation refuses the circle that the other branch would close.
    assert!(check(body).unwrap_err().message.contains("Circular dependency between resources: [C, D]"));
}

#[test]
fn circles_are_told_from_what_hangs_on_them() {
    let log_group =
        |name: &str, needs: &str| format!("  {name}: {{Type: AWS::Logs::LogGroup, DependsOn: [{needs}]}}\n");
    let body = [
        "Resources:\n".to_owned(),
        log_group("A", ""),
        log_group("B", "A, D"),
        log_group("C", "B"),
        log_group("D", "C"),
        log_group("E", "D"),
    ]
    .concat();
    assert_eq!(check(&body).unwrap_err().message, "Circular dependency between resources: [B, C, D]");
}
