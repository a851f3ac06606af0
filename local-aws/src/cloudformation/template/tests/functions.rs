//! Every intrinsic function: what it gives, and what it refuses.

use serde_json::json;

use super::{outputs, resolve, within};
use crate::cloudformation::template::unknown;

#[test]
fn values() {
    for (expression, expected) in [
        ("!Ref Text", json!("text")),
        ("!Ref Numeral", json!("1")),
        ("!Ref Words", json!(["a", "b", "c"])),
        ("!Ref AWS::Region", json!("us-east-1")),
        ("!Ref AWS::AccountId", json!("000000000000")),
        ("!Ref AWS::Partition", json!("aws")),
        ("!Ref AWS::URLSuffix", json!("amazonaws.com")),
        ("!Ref AWS::StackName", json!("Stack")),
        ("!Ref AWS::NotificationARNs", json!([])),
        ("!Ref Made", json!("made")),
        ("!GetAtt Made.List", json!(["x", "y"])),
        ("!GetAtt [Made, Arn]", json!("arn:aws:logs:us-east-1:000000000000:log-group:made:*")),
        ("{'Fn::GetAtt': [Made, !Select [0, [List]]]}", json!(["x", "y"])),
        ("!Sub '${Text}-${Numeral}-${AWS::Region}-${Made}-${!Text}'", json!("text-1-us-east-1-made-${Text}")),
        ("!Sub '${Made.Arn}'", json!("arn:aws:logs:us-east-1:000000000000:log-group:made:*")),
        ("!Sub ['${X}/${Text}', {X: !Join ['+', !Ref Words]}]", json!("a+b+c/text")),
        ("!Sub ['${X} ${Y}', {X: 5, Y: true}]", json!("5 true")),
        ("!Join [',', [a, 5, true, !Ref Made]]", json!("a,5,true,made")),
        ("!Join ['', !GetAZs '']", json!("us-east-1aus-east-1bus-east-1c")),
        ("!Join [',', [a, !Ref AWS::NoValue, b]]", json!("a,b")),
        ("!Select [1, !Ref Words]", json!("b")),
        ("!Select ['2', !GetAZs {Ref: AWS::Region}]", json!("us-east-1c")),
        ("!Select [!Ref Numeral, [x, {y: 1}]]", json!({"y": 1})),
        ("!Split ['|', 'a||b']", json!(["a", "", "b"])),
        (
            "!Split [':', !GetAtt Made.Arn]",
            json!(["arn", "aws", "logs", "us-east-1", "000000000000", "log-group", "made", "*"]),
        ),
        ("!FindInMap [Sizes, !Ref AWS::Region, small]", json!(256)),
        ("!FindInMap [Sizes, us-east-1, zones]", json!(["x", "y"])),
        ("!Cidr [10.0.0.0/16, 2, 8]", json!(["10.0.0.0/24", "10.0.1.0/24"])),
        ("!Select [1, !Cidr [10.0.0.0/16, 2, 8]]", json!("10.0.1.0/24")),
        ("{'Fn::Base64': !Sub 'hi ${Text}'}", json!("aGkgdGV4dA==")),
        ("!ImportValue Stack-Shared", json!("exported")),
        ("{'Fn::ImportValue': !Sub '${AWS::StackName}-Shared'}", json!("exported")),
        ("!If [Holds, {a: !Ref Text}, b]", json!({"a": "text"})),
        ("!If [Fails, !Ref Never, b]", json!("b")),
        (
            "{a: 1, b: !If [Fails, 2, !Ref AWS::NoValue], c: [1, !If [Fails, 2, !Ref AWS::NoValue], 3]}",
            json!({"a": 1, "c": [1, 3]}),
        ),
        ("{Condition: Holds}", json!({"Condition": "Holds"})),
    ] {
        assert_eq!(resolve(expression, false).unwrap(), Some(expected), "{expression}");
    }
    assert_eq!(resolve("!Ref AWS::NoValue", false).unwrap(), None);
}

#[test]
fn refusals_name_the_place() {
    for (expression, words) in [
        (
            "!Ref Nothing",
            "Unresolved resource dependencies [Nothing] in the Resources block of the template (Resources/Subject/Properties/It)",
        ),
        ("!Ref Never", "Unresolved resource dependencies [Never]"),
        ("!Ref Later", "Resource Later has not been created yet"),
        ("{Ref: [A]}", "every Ref object must have a single String value. (Resources/Subject/Properties/It)"),
        (
            "!GetAtt Made.Nothing",
            "resource Made does not support attribute type Nothing in Fn::GetAtt (Resources/Subject/Properties/It)",
        ),
        ("!GetAtt Made", "requires two non-empty parameters"),
        ("!GetAtt [Made, '']", "requires two non-empty parameters"),
        ("!Sub '${Nothing}'", "Unresolved resource dependencies [Nothing]"),
        ("!Sub '${Words}'", "variable Words in Fn::Sub must resolve to a string"),
        ("!Sub '${-}'", "variable names in Fn::Sub syntax"),
        ("!Sub [a]", "don't specify expected arguments"),
        ("!Sub [a, [b]]", "don't specify expected arguments"),
        ("!Join [',', [a, [b]]]", "Fn::Join takes a list of strings (Resources/Subject/Properties/It/Fn::Join/1)"),
        ("!Join [',', a]", "a list is required here (Resources/Subject/Properties/It/Fn::Join/1)"),
        ("!Join [!Ref Text, [a]]", "every Fn::Join object requires two parameters"),
        ("!Join [',']", "every Fn::Join object requires two parameters"),
        ("!Select [3, !Ref Words]", "Fn::Select cannot select nonexistent value at index 3"),
        ("!Select [-1, !Ref Words]", "nonexistent value at index -1"),
        ("!Select [x, !Ref Words]", "nonexistent value at index x"),
        ("!Select [0, a]", "a list is required here"),
        ("!Select [0]", "Fn::Select requires a list argument with two elements"),
        ("!Split ['', a]", "every Fn::Split object requires two parameters"),
        ("!Split [',', [a]]", "a string is required here"),
        (
            "!FindInMap [Sizes, us-east-1, large]",
            "Unable to get mapping for Sizes::us-east-1::large (Resources/Subject/Properties/It/Fn::FindInMap)",
        ),
        ("!FindInMap [Nothing, a, b]", "Mapping named 'Nothing' is not present"),
        ("!FindInMap [Sizes, a]", "every Fn::FindInMap object requires three parameters"),
        ("!GetAZs eu-west-1", "Fn::GetAZs of region eu-west-1 is not supported"),
        ("!Cidr [10.0.0.0/16, 300, 8]", "Fn::Cidr: the count must be from 1 to 256"),
        ("!Cidr [10.0.0.0/16, 1]", "every Fn::Cidr object requires three parameters"),
        ("!Base64 [a]", "every Fn::Base64 object must have a String-typed value"),
        ("!ImportValue Other", "No export named Other found"),
        ("!If [Nothing, a, b]", "Unresolved condition dependency Nothing in the Resources block"),
        ("!If [Holds, a]", "every Fn::If object requires three parameters"),
        ("!Equals [a, b]", "Fn::Equals is only allowed in the Conditions block"),
        ("{'Fn::Foo': 1}", "Fn::Foo is not a known intrinsic function (Resources/Subject/Properties/It)"),
        ("!Transform {Name: X}", "Fn::Transform is not supported by the local endpoint"),
        ("{'Fn::ForEach::X': []}", "Fn::ForEach is not supported by the local endpoint"),
        ("!ToJsonString {}", "Fn::ToJsonString is not supported by the local endpoint"),
        ("!Length [a]", "Fn::Length is not supported by the local endpoint"),
        ("{'Fn::Sub': a, b: c}", "Fn::Sub must be the only key of its object"),
    ] {
        let error = resolve(expression, false).expect_err(expression);
        assert_eq!(error.code, "ValidationError");
        assert!(error.message.contains(words), "{expression}: {}", error.message);
    }
}

#[test]
fn a_plan_goes_on_with_what_is_not_known_yet() {
    for (expression, shown) in [
        ("!Ref Later", json!(unknown::KNOWN_AFTER_APPLY)),
        ("!GetAtt Later.Arn", json!(unknown::KNOWN_AFTER_APPLY)),
        ("!Sub 'a/${Later}/${Made}'", json!(format!("a/{}/made", unknown::KNOWN_AFTER_APPLY))),
        ("!Join [',', [x, !Ref Later]]", json!(format!("x,{}", unknown::KNOWN_AFTER_APPLY))),
        ("!Join [',', !GetAtt Later.List]", json!(unknown::KNOWN_AFTER_APPLY)),
        ("!Select [0, !Split [',', !Ref Later]]", json!(unknown::KNOWN_AFTER_APPLY)),
        ("!Select [0, [!Ref Later]]", json!(unknown::KNOWN_AFTER_APPLY)),
        ("!Cidr [!GetAtt Later.Block, 1, 8]", json!(unknown::KNOWN_AFTER_APPLY)),
        ("!Select [!Ref Later, [a]]", json!(unknown::KNOWN_AFTER_APPLY)),
        ("!GetAZs {Ref: Later}", json!(unknown::KNOWN_AFTER_APPLY)),
        ("{'Fn::GetAtt': [Made, !Ref Later]}", json!(unknown::KNOWN_AFTER_APPLY)),
        ("!Base64 {Ref: Later}", json!(unknown::KNOWN_AFTER_APPLY)),
        ("!Ref Made", json!("made")),
    ] {
        let value = resolve(expression, true).unwrap().unwrap();
        assert_eq!(unknown::shown(&value), shown, "{expression}");
        assert_eq!(unknown::is_in(&value), expression != "!Ref Made", "{expression}");
    }
    assert!(resolve("!Ref Never", true).is_err());
}

#[test]
fn conditions_are_boolean_operations() {
    let body = |condition: &str| {
        format!(
            "Parameters:\n  A: {{Type: String, Default: a}}\n  L: {{Type: CommaDelimitedList, Default: 'a,b'}}\n\
             Mappings:\n  M: {{a: {{b: c}}}}\nConditions:\n  T: !Equals [a, !Ref A]\n  F: !Equals [1, 2]\n  \
             It: {condition}\nResources:\n  Made: {{Type: AWS::Logs::LogGroup}}\n"
        )
    };
    for (condition, expected) in [
        ("!Condition T", true),
        ("!Equals [true, 'true']", true),
        ("!Equals [5, '5']", true),
        ("!Equals [a, A]", false),
        ("!Equals [!Ref L, [a, b]]", true),
        ("!Equals [!FindInMap [M, !Ref A, b], c]", true),
        ("!Equals [!Select [1, !Ref L], b]", true),
        ("!Equals [!Join ['', !Ref L], ab]", true),
        ("!Equals [!Sub '${A}-${AWS::Region}', a-us-east-1]", true),
        ("!Equals [!If [F, x, y], y]", true),
        ("!Equals [!Ref AWS::NoValue, '']", false),
        ("!And [!Condition T, !Equals [1, 1]]", true),
        ("!And [{Condition: T}, {Condition: F}]", false),
        ("!Or [!Condition F, !Not [!Condition F]]", true),
        ("!Not [!Condition T]", false),
    ] {
        let holds = within(&body(condition), &super::made(), false, |scope| Ok(scope.conditions["It"])).unwrap();
        assert_eq!(holds, expected, "{condition}");
    }
    for (condition, words) in [
        ("true", "Conditions can only be boolean operations on parameters and other conditions (Conditions/It)"),
        ("!Ref A", "Conditions can only be boolean operations"),
        (
            "!Equals [!Ref Made, b]",
            "Unresolved dependencies [Made]. Cannot reference resources in the Conditions block",
        ),
        ("!Equals [!GetAtt Made.Arn, b]", "Cannot reference resources in the Conditions block"),
        ("!Equals [!ImportValue X, b]", "Cannot use Fn::ImportValue in Conditions"),
        (
            "!Equals [!Ref Nothing, b]",
            "Unresolved dependencies [Nothing]. Cannot reference resources in the Conditions block",
        ),
        ("!Condition Nothing", "Unresolved condition dependency Nothing in the Conditions block"),
        ("!Condition It", "Circular dependency between conditions: [It]"),
        ("!Not [!Condition It]", "Circular dependency between conditions: [It]"),
        ("!And [!Condition T]", "at least 2 and at most 10"),
        ("!Not [!Condition T, !Condition F]", "every Fn::Not object requires one boolean parameter"),
        ("!Equals [a]", "a list of 2 string parameters"),
        (
            "!Or [!Condition T, a]",
            "Conditions can only be boolean operations on parameters and other conditions (Conditions/It/Fn::Or/1)",
        ),
    ] {
        let error = within(&body(condition), &super::made(), false, |_| Ok(())).expect_err(condition);
        assert!(error.message.contains(words), "{condition}: {}", error.message);
    }
}

#[test]
fn outputs_with_conditions_and_exports() {
    let body = "
Conditions:
  Fails: !Equals [a, b]
Resources:
  Made: {Type: AWS::Logs::LogGroup}
Outputs:
  Name: {Description: its name, Value: !Ref Made, Export: {Name: !Sub '${AWS::StackName}-Name'}}
  Number: {Value: 5}
  Hidden: {Condition: Fails, Value: !GetAtt Made.Nothing}
";
    let outputs = outputs(body).unwrap();
    let keys: Vec<_> = outputs.iter().map(|output| (output.key.as_str(), output.value.as_str())).collect();
    assert_eq!(keys, [("Name", "made"), ("Number", "5")]);
    assert_eq!(outputs[0].description.as_deref(), Some("its name"));
    assert_eq!(outputs[0].export_name.as_deref(), Some("Stack-Name"));

    let list = body.replace("Value: 5", "Value: !GetAtt Made.List");
    let error = super::outputs(&list).unwrap_err();
    assert!(error.message.contains("must evaluate to a String. (Outputs/Number/Value)"), "{error}");
    let twice = body.replace("{Value: 5}", "{Value: 5, Export: {Name: Stack-Name}}");
    assert!(super::outputs(&twice).unwrap_err().message.contains("export name Stack-Name is used twice"));
}
