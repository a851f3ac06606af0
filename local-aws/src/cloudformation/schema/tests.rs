//! The schemas, and what they do to properties.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::{Change, Schemas, coerce};
use crate::ApiError;
use crate::cloudformation::resources::{self, Properties, Refused};
use crate::cloudformation::template::{Place, unknown};

fn object(value: Value) -> Properties {
    match value {
        Value::Object(members) => members,
        other => panic!("{other} is no object"),
    }
}

fn prepare(type_name: &str, properties: Value, refused: &[&str]) -> Result<Value, ApiError> {
    let root = Place::root("Resources");
    let member = root.member("X");
    let schema = Schemas::default().get(type_name)?;
    schema.prepare(&member.member("Properties"), object(properties), refused, None).map(Value::Object)
}

fn table(changes: Value) -> Value {
    let mut properties = json!({
        "AttributeDefinitions": [{"AttributeName": "A", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "A", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    });
    properties.as_object_mut().unwrap().extend(object(changes));
    properties
}

#[test]
fn every_schema_is_there_and_compiles() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    let files = std::fs::read_dir(directory).unwrap().filter_map(|entry| {
        let path = entry.unwrap().path();
        (path.extension()? == "json").then(|| std::fs::read_to_string(path).unwrap())
    });
    let on_disk: BTreeSet<String> = files
        .map(|text| serde_json::from_str::<Value>(&text).unwrap()["typeName"].as_str().unwrap().to_owned())
        .collect();
    let schemas = Schemas::default();
    for resource_type in resources::all() {
        let schema = schemas.get(resource_type.type_name()).unwrap();
        assert_eq!(schema.document["typeName"], resource_type.type_name());
        schema.validator().unwrap();
    }
    assert_eq!(on_disk, resources::all().map(|resource_type| resource_type.type_name().to_owned()).collect());
    let message = schemas.get("AWS::Foo::Bar").err().unwrap().message;
    assert!(message.starts_with("Template format error: Unrecognized resource types: [AWS::Foo::Bar] ("), "{message}");
}

#[test]
fn scalars_take_the_type_of_the_schema() {
    let definition = json!({
        "Cpu": 256, "Memory": "512", "EnableFaultInjection": "false", "RequiresCompatibilities": ["FARGATE"],
        "ContainerDefinitions": [{
            "Name": "a", "Image": "b", "StopTimeout": "30", "Essential": "true",
            "Environment": [{"Name": "N", "Value": 5}, {"Name": "T", "Value": true}],
            "LogConfiguration": {"LogDriver": "awslogs", "Options": {"max-buffer-size": 25}},
        }],
    });
    let prepared = prepare("AWS::ECS::TaskDefinition", definition, &[]).unwrap();
    let container = &prepared["ContainerDefinitions"][0];
    assert_eq!((&prepared["Cpu"], &prepared["EnableFaultInjection"]), (&json!("256"), &json!(false)));
    assert_eq!((&container["StopTimeout"], &container["Essential"]), (&json!(30), &json!(true)));
    assert_eq!(container["Environment"], json!([{"Name": "N", "Value": "5"}, {"Name": "T", "Value": "true"}]));
    assert_eq!(container["LogConfiguration"]["Options"]["max-buffer-size"], "25");
    assert_eq!(prepare("AWS::Logs::LogGroup", json!({"RetentionInDays": "7.0"}), &[]).unwrap()["RetentionInDays"], 7);
    // A document of the user's own is left as it is.
    let role =
        json!({"AssumeRolePolicyDocument": {"Statement": [{"Condition": {"Bool": {"aws:SecureTransport": true}}}]}});
    assert_eq!(prepare("AWS::IAM::Role", role.clone(), &[]).unwrap(), role);
}

#[test]
fn wrong_properties() {
    let properties = |text: &str| text.replace("X: ", "Resources/X/Properties: ");
    for (type_name, value, words) in [
        ("AWS::Logs::LogGroup", json!({"Foo": 1}), properties("X: extraneous key [Foo] is not permitted")),
        (
            "AWS::Logs::LogGroup",
            json!({"Arn": "a"}),
            properties("X: extraneous key [Arn] is not permitted: it is read-only"),
        ),
        (
            "AWS::Logs::LogGroup",
            json!({"RetentionInDays": 2}),
            "Resources/X/Properties/RetentionInDays: 2 is not a valid enum value, one of [1, 3, 5".to_owned(),
        ),
        (
            "AWS::Logs::LogGroup",
            json!({"RetentionInDays": "x"}),
            "Resources/X/Properties/RetentionInDays: expected type: Integer, found: String".to_owned(),
        ),
        (
            "AWS::Logs::LogGroup",
            json!({"LogGroupName": "a b"}),
            "Resources/X/Properties/LogGroupName: string [a b] does not match pattern".to_owned(),
        ),
        ("AWS::Logs::LogGroup", json!({"LogGroupName": ""}), "expected minLength: 1, actual: 0".to_owned()),
        (
            "AWS::Logs::LogGroup",
            json!({"Tags": [{"Key": "a"}]}),
            "Resources/X/Properties/Tags/0: required key [Value] not found".to_owned(),
        ),
        (
            "AWS::Logs::LogGroup",
            json!({"Tags": {"a": "b"}}),
            "Resources/X/Properties/Tags: expected type: JSONArray, found: JSONObject".to_owned(),
        ),
        ("AWS::DynamoDB::Table", json!({}), properties("X: required key [KeySchema] not found")),
        (
            "AWS::DynamoDB::Table",
            table(json!({"KeySchema": [{"AttributeName": "A"}]})),
            "Resources/X/Properties/KeySchema/0: required key [KeyType] not found".to_owned(),
        ),
        (
            "AWS::DynamoDB::Table",
            table(json!({"KeySchema": [{"AttributeName": "A", "KeyType": "RANGE"}]})),
            "Resources/X/Properties/KeySchema/0/KeyType: RANGE is not HASH".to_owned(),
        ),
        (
            "AWS::DynamoDB::Table",
            table(json!({"WarmThroughput": {}})),
            "at least one of the keys [ReadUnitsPerSecond, WriteUnitsPerSecond] is required".to_owned(),
        ),
        ("AWS::EC2::VPC", json!({}), properties("X: exactly one of the keys [CidrBlock, Ipv4IpamPoolId] is required")),
        (
            "AWS::EC2::VPC",
            json!({"CidrBlock": "10.0.0.0"}),
            "CidrBlock: string [10.0.0.0] is not of the format ipv4-network".to_owned(),
        ),
        (
            "AWS::EC2::Subnet",
            json!({"VpcId": "v", "CidrBlock": "10.0.0.0/24", "AvailabilityZone": "a", "AvailabilityZoneId": "b"}),
            "is not permitted beside the other keys".to_owned(),
        ),
        (
            "AWS::EC2::SecurityGroupIngress",
            json!({"IpProtocol": "tcp", "CidrIp": "10.0.0.0/8", "SourceSecurityGroupId": "s"}),
            "exactly one of the keys [CidrIp, CidrIpv6, ".to_owned(),
        ),
        (
            "AWS::ECS::TaskDefinition",
            json!({"ContainerDefinitions": [{"Name": "a", "Image": "b", "Foo": 1}]}),
            "Resources/X/Properties/ContainerDefinitions/0: extraneous key [Foo] is not permitted".to_owned(),
        ),
    ] {
        let error = prepare(type_name, value.clone(), &[]).err().unwrap_or_else(|| panic!("{type_name} {value}"));
        assert_eq!(error.code, "ValidationError");
        assert!(error.message.contains(&words), "{type_name} {value}: {}", error.message);
    }
}

#[test]
fn unknown_values_are_taken_to_be_right() {
    let mark = unknown::value("Later", Some("Arn"));
    for (type_name, value) in [
        (
            "AWS::Logs::LogGroup",
            json!({"LogGroupName": mark, "RetentionInDays": mark, "Tags": [{"Key": "a", "Value": mark}]}),
        ),
        ("AWS::EC2::VPC", json!({"CidrBlock": mark})),
        ("AWS::EC2::Subnet", json!({"VpcId": mark, "CidrBlock": mark, "AvailabilityZone": mark})),
        ("AWS::DynamoDB::Table", table(json!({"KeySchema": [{"AttributeName": mark, "KeyType": mark}]}))),
        ("AWS::DynamoDB::Table", table(json!({"KeySchema": mark}))),
    ] {
        prepare(type_name, value.clone(), &[]).unwrap_or_else(|error| panic!("{type_name} {value}: {error}"));
    }
    for (type_name, value, words) in [
        ("AWS::Logs::LogGroup", json!({"Foo": mark}), "extraneous key [Foo]"),
        ("AWS::Logs::LogGroup", json!({"Tags": [{"Key": mark}]}), "required key [Value] not found"),
        ("AWS::Logs::LogGroup", json!({"LogGroupName": [mark]}), "expected type: String, found: JSONArray"),
        (
            "AWS::DynamoDB::Table",
            table(json!({"KeySchema": [{"AttributeName": mark}]})),
            "required key [KeyType] not found",
        ),
        (
            "AWS::EC2::VPC",
            json!({"CidrBlock": mark, "Ipv4IpamPoolId": mark}),
            "exactly one of the keys [CidrBlock, Ipv4IpamPoolId]",
        ),
        (
            "AWS::EC2::Subnet",
            json!({"VpcId": mark, "CidrBlock": mark, "AvailabilityZone": mark, "AvailabilityZoneId": mark}),
            "is not permitted beside",
        ),
    ] {
        let error = prepare(type_name, value.clone(), &[]).err().unwrap_or_else(|| panic!("{type_name} {value}"));
        assert!(error.message.contains(words), "{type_name} {value}: {}", error.message);
        assert!(!error.message.contains('\0'), "{}", error.message);
    }
}

#[test]
fn refused_properties() {
    let definition =
        json!({"ContainerDefinitions": [{"Name": "a", "Image": "b"}, {"Name": "c", "Image": "d", "Hostname": "h"}]});
    let error =
        prepare("AWS::ECS::TaskDefinition", definition, &["IpcMode", "ContainerDefinitions/*/Hostname"]).unwrap_err();
    assert_eq!(
        error.message,
        "Resources/X/Properties/ContainerDefinitions/1/Hostname: AWS::ECS::TaskDefinition property \
         ContainerDefinitions/*/Hostname is not supported by the local endpoint"
    );
}

#[test]
fn what_the_types_refuse_is_in_their_schemas() {
    for resource_type in resources::all() {
        let schema: Value = serde_json::from_str(resource_type.schema()).unwrap();
        let values = resource_type.refused_values().iter().map(Refused::path);
        for path in resource_type.refused().iter().copied().chain(values) {
            let path: Vec<&str> = path.split('/').collect();
            assert!(coerce::knows(&schema, &schema, &path), "{}: {path:?}", resource_type.type_name());
        }
    }
    let table = resources::find("AWS::DynamoDB::Table").unwrap();
    let schema: Value = serde_json::from_str(table.schema()).unwrap();
    assert!(coerce::knows(&schema, &schema, &["KeySchema", "*", "KeyType"]));
    assert!(!coerce::knows(&schema, &schema, &["KeySchema", "*", "Foo"]));
}

#[test]
fn changes_and_replacement() {
    let schemas = Schemas::default();
    let changes = |type_name: &str, old: Value, new: Value| -> Vec<(String, bool)> {
        let changes = schemas.get(type_name).unwrap().changes(&object(old), &object(new));
        changes.into_iter().map(|Change { property, replaces }| (property, replaces)).collect()
    };
    let one = |property: &str, replaces: bool| vec![(property.to_owned(), replaces)];
    assert_eq!(changes("AWS::Logs::LogGroup", json!({"RetentionInDays": 1}), json!({"RetentionInDays": 1})), vec![]);
    assert_eq!(changes("AWS::Logs::LogGroup", json!({}), json!({"RetentionInDays": 1})), one("RetentionInDays", false));
    assert_eq!(changes("AWS::Logs::LogGroup", json!({"LogGroupName": "a"}), json!({})), one("LogGroupName", true));
    assert_eq!(
        changes("AWS::DynamoDB::Table", json!({"KeySchema": [1]}), json!({"KeySchema": [2]})),
        one("KeySchema", true)
    );
    let options = |targeting: &str, mode: &str| json!({"ExperimentOptions": {"AccountTargeting": targeting, "EmptyTargetResolutionMode": mode}});
    let fis = "AWS::FIS::ExperimentTemplate";
    assert_eq!(
        changes(fis, options("single-account", "fail"), options("single-account", "skip")),
        one("ExperimentOptions", false)
    );
    assert_eq!(
        changes(fis, options("single-account", "fail"), options("multi-account", "fail")),
        one("ExperimentOptions", true)
    );
}

#[test]
fn what_else_a_schema_says() {
    let schemas = Schemas::default();
    let get = |name: &str| schemas.get(name).unwrap();
    assert!(get("AWS::Logs::LogGroup").has_attribute("Arn"));
    assert!(!get("AWS::Logs::LogGroup").has_attribute("LogGroupName"));
    assert!(get("AWS::EC2::VPC").has_attribute("CidrBlock"));
    assert!(get("AWS::EC2::SubnetRouteTableAssociation").deletes_before_creating());
    assert!(!get("AWS::EC2::VPC").deletes_before_creating());
}
