//! The project's own templates.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Template, bind, environment, exports, within};
use crate::cloudformation::schema::Schemas;
use crate::cloudformation::template::{Scope, conditions, dependencies::dependencies, unknown, validate};

fn body(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../templates").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

const WORKSHOP: &[(&str, &str)] = &[
    ("SubnetIds", "subnet-0123456789abcdef0,subnet-0123456789abcdef1"),
    ("SecurityGroupId", "sg-0123456789abcdef0"),
    ("RepositoryArn", "arn:aws:ecr:us-east-1:000000000000:repository/workers"),
    ("OriginalImageUri", "000000000000.dkr.ecr.us-east-1.amazonaws.com/workers:original"),
    ("ImprovedImageUri", "000000000000.dkr.ecr.us-east-1.amazonaws.com/workers:improved"),
    ("WatchdogImageUri", "000000000000.dkr.ecr.us-east-1.amazonaws.com/workers:improved"),
    ("QueueImageUri", "000000000000.dkr.ecr.us-east-1.amazonaws.com/workers:improved"),
];

fn validate_all(name: &str, given: &[(&str, &str)]) -> BTreeMap<String, serde_json::Map<String, serde_json::Value>> {
    let template = Template::parse(&body(name)).unwrap();
    let schemas = Schemas::default();
    let types = |_: &str| Some(&[] as &'static [&'static str]);
    validate::references(&template, &schemas, &types).unwrap();
    let parameters = bind(&template, given).unwrap();
    let environment = environment();
    let conditions = conditions::evaluate(&template, &environment, &parameters).unwrap();
    let scope = Scope {
        made: std::cell::Cell::new(0),
        template: &template,
        environment: &environment,
        parameters: &parameters,
        conditions: &conditions,
        created: &BTreeMap::new(),
        exports: &exports,
        plan: true,
    };
    dependencies(&template, &conditions).unwrap();
    validate::resources(&scope, &schemas, &types, &|_| None).unwrap()
}

#[test]
fn network() {
    let properties = validate_all("network.yaml", &[]);
    assert_eq!(properties["PrivateSubnet1"]["CidrBlock"], "10.0.2.0/24");
    assert_eq!(properties["PrivateSubnet2"]["AvailabilityZone"], "us-east-1b");
    assert!(properties.contains_key("NatGateway"));
    assert!(!properties.contains_key("EcrApiEndpoint"));
    let properties = validate_all("network.yaml", &[("Egress", "VpcEndpoints")]);
    assert!(!properties.contains_key("NatGateway"));
    assert!(properties.contains_key("EcrApiEndpoint"));
}

#[test]
fn workshop() {
    let properties = validate_all("workshop.yaml", WORKSHOP);
    assert_eq!(properties["Cluster"]["ClusterName"], "FisStackECS-Cluster");
    let container = &properties["OriginalTaskDefinition"]["ContainerDefinitions"][0];
    assert_eq!(container["StopTimeout"], 30);
    assert_eq!(properties["OriginalLogGroup"]["RetentionInDays"], 7);
    assert!(unknown::is_in(&properties["ExperimentTemplate"]["RoleArn"]));
    let mut given = WORKSHOP.to_vec();
    given.push(("Environment", "one"));
    assert_eq!(validate_all("workshop.yaml", &given)["Cluster"]["ClusterName"], "FisStackECS-Cluster-one");
}

#[test]
fn capabilities() {
    assert_eq!(Template::parse(&body("network.yaml")).unwrap().capability(), None);
    assert_eq!(Template::parse(&body("workshop.yaml")).unwrap().capability(), Some("CAPABILITY_IAM"));
    let named = "Resources:\n  R: {Type: AWS::IAM::Role, Properties: {RoleName: r}}\n  P: {Type: AWS::IAM::Policy}\n";
    assert_eq!(Template::parse(named).unwrap().capability(), Some("CAPABILITY_NAMED_IAM"));
}

#[test]
fn everything_has_to_be_there_when_it_is_made() {
    let error = within(&body("network.yaml"), &BTreeMap::new(), false, |scope| scope.properties("PrivateSubnet1"));
    assert!(error.unwrap_err().message.contains("Resource FisVpc has not been created yet"));
}
