//! The language as a whole; the inline tests of the modules cover their own syntax.

mod bombs;
mod examples;
mod functions;
mod laws;
mod parameters;
mod refusals;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::parameters::Given;
use super::resolve::{Output, Scope};
use super::{Environment, Parameters, Place, Template, conditions, parameters as binding};
use crate::ApiError;
use crate::cloudformation::resources::Created;

fn environment() -> Environment {
    Environment {
        account_id: "000000000000".to_owned(),
        region: "us-east-1".to_owned(),
        partition: "aws".to_owned(),
        url_suffix: "amazonaws.com".to_owned(),
        stack_name: "Stack".to_owned(),
        stack_id: "arn:aws:cloudformation:us-east-1:000000000000:stack/Stack/1".to_owned(),
        notification_arns: Vec::new(),
        availability_zones: ["us-east-1a", "us-east-1b", "us-east-1c"].map(str::to_owned).to_vec(),
    }
}

fn bind(template: &Template, given: &[(&str, &str)]) -> Result<Parameters, ApiError> {
    let given = given.iter().map(|(name, text)| ((*name).to_owned(), Given::Value((*text).to_owned()))).collect();
    binding::bind(template, &given, None)
}

/// The resource `Made` of the tests' templates, as it is once it has been created.
fn made() -> BTreeMap<String, Created> {
    let attributes = json!({"Arn": "arn:aws:logs:us-east-1:000000000000:log-group:made:*", "List": ["x", "y"]});
    let Value::Object(attributes) = attributes else { unreachable!("an object") };
    BTreeMap::from([("Made".to_owned(), Created { physical_id: "made".to_owned(), attributes })])
}

fn exports(name: &str) -> Result<Option<String>, ApiError> {
    Ok((name == "Stack-Shared").then(|| "exported".to_owned()))
}

/// Does something within the scope of a template, its parameters at their defaults.
fn within<T>(
    body: &str,
    created: &BTreeMap<String, Created>,
    plan: bool,
    act: impl FnOnce(&Scope<'_>) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let template = Template::parse(body)?;
    let parameters = bind(&template, &[])?;
    let environment = environment();
    let conditions = conditions::evaluate(&template, &environment, &parameters)?;
    act(&Scope {
        made: std::cell::Cell::new(0),
        template: &template,
        environment: &environment,
        parameters: &parameters,
        conditions: &conditions,
        created,
        exports: &exports,
        plan,
    })
}

/// Declarations that the tests of functions refer to.
const DECLARATIONS: &str = "
Parameters:
  Text: {Type: String, Default: text}
  Numeral: {Type: Number, Default: 1}
  Words: {Type: CommaDelimitedList, Default: 'a, b,c'}
Mappings:
  Sizes:
    us-east-1: {small: 256, zones: [x, y]}
Conditions:
  Holds: !Equals [!Ref Text, text]
  Fails: !Not [!Condition Holds]
Resources:
  Made: {Type: AWS::Logs::LogGroup}
  Later: {Type: AWS::Logs::LogGroup}
  Never: {Type: AWS::Logs::LogGroup, Condition: Fails}
";

/// What `expression`, which is YAML, resolves to.
fn resolve(expression: &str, plan: bool) -> Result<Option<Value>, ApiError> {
    let indented = expression.replace('\n', "\n        ");
    let body =
        format!("{DECLARATIONS}  Subject:\n    Type: AWS::Logs::LogGroup\n    Properties:\n      It: {indented}\n");
    within(&body, &made(), plan, |scope| Ok(scope.properties("Subject")?.get("It").cloned()))
}

fn outputs(body: &str) -> Result<Vec<Output>, ApiError> {
    within(body, &made(), false, |scope| scope.outputs())
}

fn here() -> Place<'static> {
    Place::root("Resources")
}
