//! Parameters: types, constraints, where a value comes from.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Template, bind};
use crate::cloudformation::template::parameters::{Given, bind as bind_given};

fn template(declaration: &str) -> Template {
    Template::parse(&format!("Parameters:\n  P: {declaration}\nResources:\n  A: {{Type: AWS::Logs::LogGroup}}\n"))
        .unwrap_or_else(|error| panic!("{declaration}: {error}"))
}

#[test]
fn accepted_values() {
    for (declaration, text, value) in [
        ("{Type: String}", "", json!("")),
        ("{Type: String}", "any, text", json!("any, text")),
        ("{Type: Number}", "5", json!("5")),
        ("{Type: Number}", "-2.5", json!("-2.5")),
        ("{Type: List<Number>}", "1, 2,3", json!(["1", "2", "3"])),
        ("{Type: List<String>}", "a,b", json!(["a", "b"])),
        ("{Type: CommaDelimitedList}", "a , b", json!(["a", "b"])),
        ("{Type: CommaDelimitedList}", "", json!([""])),
        ("{Type: AWS::EC2::VPC::Id}", "vpc-0a1b2c3d", json!("vpc-0a1b2c3d")),
        (
            "{Type: 'List<AWS::EC2::Subnet::Id>'}",
            "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
            json!(["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]),
        ),
        ("{Type: AWS::EC2::KeyPair::KeyName}", "key", json!("key")),
        ("{Type: AWS::EC2::AvailabilityZone::Name}", "us-east-1a", json!("us-east-1a")),
        ("{Type: String, AllowedValues: [yes, 5, x]}", "true", json!("true")),
        ("{Type: String, AllowedValues: [yes, 5, x]}", "5", json!("5")),
        ("{Type: String, AllowedPattern: '[a-z]+'}", "abc", json!("abc")),
        ("{Type: String, AllowedPattern: '^(?!aws)[a-z]*$'}", "abc", json!("abc")),
        ("{Type: String, AllowedPattern: '^[\\w-\\+.]+@[\\w-]+$|^$'}", "a-b+c@d-e", json!("a-b+c@d-e")),
        ("{Type: CommaDelimitedList, AllowedPattern: '[a-z]'}", "a,b", json!(["a", "b"])),
        ("{Type: String, MinLength: 1, MaxLength: '3'}", "äöü", json!("äöü")),
        ("{Type: Number, MinValue: 1, MaxValue: 3}", "3", json!("3")),
    ] {
        let parameters = bind(&template(declaration), &[("P", text)]).unwrap_or_else(|e| panic!("{declaration}: {e}"));
        assert_eq!(parameters.get("P"), Some(&value), "{declaration}");
        assert_eq!(parameters.texts()["P"], text);
    }
}

#[test]
fn refused_values() {
    for (declaration, text, words) in [
        ("{Type: Number}", "five", "Parameter 'P' must be a number."),
        ("{Type: Number}", "inf", "Parameter 'P' must be a number."),
        ("{Type: Number}", "", "Parameter 'P' must be a number."),
        ("{Type: List<Number>}", "1,x", "Parameter 'P' must be a number."),
        (
            "{Type: AWS::EC2::VPC::Id}",
            "subnet-0a1b2c3d",
            "parameter value subnet-0a1b2c3d for parameter name P does not exist",
        ),
        (
            "{Type: 'List<AWS::EC2::Subnet::Id>'}",
            "subnet-0a1b2c3d,",
            "parameter value  for parameter name P does not exist",
        ),
        ("{Type: AWS::EC2::SecurityGroup::Id}", "sg-xyz", "does not exist"),
        ("{Type: String, AllowedValues: [a, b]}", "c", "Parameter 'P' must be one of AllowedValues"),
        ("{Type: CommaDelimitedList, AllowedValues: [a, b]}", "a,c", "Parameter 'P' must be one of AllowedValues"),
        ("{Type: String, AllowedPattern: '[a-z]+'}", "abc1", "Parameter 'P' must match pattern [a-z]+"),
        ("{Type: String, AllowedPattern: 'a|b'}", "bc", "must match pattern"),
        (
            "{Type: String, AllowedPattern: '[a-z]+', ConstraintDescription: small letters only}",
            "A",
            "Parameter 'P' failed to satisfy constraint: small letters only (Parameters/P)",
        ),
        ("{Type: String, MinLength: 2}", "a", "Parameter 'P' must contain at least 2 characters"),
        ("{Type: String, MaxLength: 2}", "abc", "Parameter 'P' must contain at most 2 characters"),
        ("{Type: Number, MinValue: 1}", "0.5", "Parameter 'P' must be a number not less than 1"),
        ("{Type: Number, MaxValue: 3}", "4", "Parameter 'P' must be a number not greater than 3"),
        ("{Type: String}", "a\u{0}", "U+0000"),
    ] {
        let error = bind(&template(declaration), &[("P", text)]).expect_err(declaration);
        assert!(error.message.contains(words), "{declaration}: {}", error.message);
    }
    let long = "x".repeat(4097);
    assert!(bind(&template("{Type: String}"), &[("P", &long)]).unwrap_err().message.contains("4096 bytes"));
}

#[test]
fn refused_declarations() {
    for (declaration, words) in [
        ("{Default: a}", "Every Parameters object must contain a Type member. (Parameters/P)"),
        ("a", "Every Parameters object must contain a Type member"),
        ("{Type: Boolean}", "Template format error: Unrecognized parameter type: Boolean (Parameters/P/Type)"),
        ("{Type: 'List<AWS::EC2::KeyPair::KeyName>'}", "Unrecognized parameter type"),
        ("{Type: 'AWS::SSM::Parameter::Value<String>'}", "AWS::SSM::Parameter::Value<String> is not supported"),
        ("{Type: String, Default: [a]}", "Every Default member must be a string. (Parameters/P/Default)"),
        ("{Type: String, Foo: a}", "Invalid template parameter property 'Foo'"),
        ("{Type: String, AllowedValues: a}", "AllowedValues must be a list"),
        ("{Type: String, AllowedPattern: '('}", "AllowedPattern of parameter P is no regular expression"),
        ("{Type: String, MinLength: -1}", "MinLength of parameter P must be an integer"),
        ("{Type: Number, MinValue: x}", "MinValue of parameter P must be a number"),
    ] {
        let body = format!("Parameters:\n  P: {declaration}\nResources:\n  A: {{Type: AWS::Logs::LogGroup}}\n");
        let error = Template::parse(&body).expect_err(declaration);
        assert!(error.message.contains(words), "{declaration}: {}", error.message);
    }
}

#[test]
fn where_values_come_from() {
    let template = Template::parse(
        "Parameters:\n  A: {Type: String}\n  B: {Type: String}\n  D: {Type: Number, Default: 7}\n  S: {Type: String, NoEcho: true, Default: s}\n\
         Resources:\n  R: {Type: AWS::Logs::LogGroup}\n",
    )
    .unwrap();
    assert_eq!(bind(&template, &[]).unwrap_err().message, "Parameters: [A, B] must have values");
    let error = bind(&template, &[("A", ""), ("X", ""), ("Y", "")]).unwrap_err();
    assert_eq!(error.message, "Parameters: [X, Y] do not exist in the template");

    let parameters = bind(&template, &[("A", "1"), ("B", "2")]).unwrap();
    assert_eq!(parameters.get("D"), Some(&Value::from("7")));
    assert_eq!(parameters.shown()["S"], "****");
    assert_eq!(parameters.texts()["S"], "s");

    let given = |pairs: &[(&str, Given)]| -> BTreeMap<String, Given> {
        pairs.iter().map(|(name, given)| ((*name).to_owned(), given.clone())).collect()
    };
    let previous = BTreeMap::from([("A".to_owned(), "before".to_owned())]);
    let update = given(&[("A", Given::Previous), ("B", Given::Value("new".to_owned()))]);
    let parameters = bind_given(&template, &update, Some(&previous)).unwrap();
    assert_eq!((parameters.get("A"), parameters.get("B")), (Some(&json!("before")), Some(&json!("new"))));
    let update = given(&[("A", Given::Previous), ("B", Given::Previous)]);
    let error = bind_given(&template, &update, Some(&previous)).unwrap_err();
    assert!(error.message.contains("Cannot specify usePreviousValue as true"), "{error}");
}
