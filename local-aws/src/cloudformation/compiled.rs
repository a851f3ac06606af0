//! A template with the values of its parameters: all that an operation needs to know before it looks at resources.

use std::collections::{BTreeMap, BTreeSet};

use super::export::Imports;
use super::resources::{self, Created, Properties};
use super::schema::Schemas;
use super::stack::{Stack, Target};
use super::template::parameters::{Given, bind};
use super::template::resolve::Exports;
use super::template::validate::{Passed, references, resources as validate_resources};
use super::template::{Environment, Parameters, Scope, Template, conditions, dependencies};
use crate::ec2::zone;
use crate::endpoint::Endpoint;
use crate::error::ApiError;

/// See the module.
pub(super) struct Compiled {
    pub(super) template: Template,
    pub(super) parameters: Parameters,
    pub(super) conditions: BTreeMap<String, bool>,
    pub(super) environment: Environment,
    /// For each active resource, those that have to be there before it.
    pub(super) dependencies: BTreeMap<String, BTreeSet<String>>,
}

/// The property paths that a type refuses, for the validation.
pub(super) fn refused(type_name: &str) -> Option<&'static [&'static str]> {
    resources::find(type_name).map(|resource_type| resource_type.refused())
}

/// The template in `body`, held against everything that needs no parameter values.
pub(super) fn parse(body: &str, schemas: &Schemas) -> Result<Template, ApiError> {
    let template = Template::parse(body)?;
    references(&template, schemas, &refused)?;
    Ok(template)
}

impl Compiled {
    pub(super) fn new(
        endpoint: &Endpoint,
        stack_name: &str,
        stack_id: &str,
        template: Template,
        parameters: Parameters,
    ) -> Result<Self, ApiError> {
        let identity = &endpoint.identity;
        let environment = Environment {
            account_id: identity.account_id.clone(),
            region: identity.region.clone(),
            partition: "aws".to_owned(),
            url_suffix: "amazonaws.com".to_owned(),
            stack_name: stack_name.to_owned(),
            stack_id: stack_id.to_owned(),
            notification_arns: Vec::new(),
            availability_zones: zone::names(&identity.region),
        };
        let conditions = conditions::evaluate(&template, &environment, &parameters)?;
        let dependencies = dependencies::dependencies(&template, &conditions)?;
        Ok(Self { template, parameters, conditions, environment, dependencies })
    }

    /// What a record's target says, with the text of its template. It was checked when it was recorded.
    pub(super) fn of(endpoint: &Endpoint, stack: &Stack, target: &Target, text: &str) -> Result<Self, ApiError> {
        let template = Template::parse(text)?;
        let given = target.parameters.iter().map(|(name, text)| (name.clone(), Given::Value(text.clone()))).collect();
        let parameters = bind(&template, &given, None)?;
        Self::new(endpoint, &stack.name, &stack.stack_id, template, parameters)
    }

    /// What functions refer to, when these resources are there.
    pub(super) fn scope<'a>(
        &'a self,
        created: &'a BTreeMap<String, Created>,
        exports: &'a Exports<'a>,
        plan: bool,
    ) -> Scope<'a> {
        Scope {
            made: std::cell::Cell::new(0),
            template: &self.template,
            environment: &self.environment,
            parameters: &self.parameters,
            conditions: &self.conditions,
            created,
            exports,
            plan,
        }
    }

    /// The properties of all active resources, as far as they are known when only these resources are there.
    pub(super) fn planned_properties(
        &self,
        created: &BTreeMap<String, Created>,
        imports: &Imports,
        schemas: &Schemas,
        passed: &Passed<'_>,
    ) -> Result<BTreeMap<String, Properties>, ApiError> {
        let exports = |name: &str| Ok(imports.get(name));
        validate_resources(&self.scope(created, &exports, true), schemas, &refused, passed)
    }
}
