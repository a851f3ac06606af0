//! How long CloudFormation still takes on AWS for a stack that is on its way.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::resources;
use super::template::parameters::{Given, bind};
use super::template::{Environment, Template, conditions, dependencies};
use crate::ec2::zone;
use crate::error::ApiError;

/// What the resources of a template typically take on AWS, and in which order they come.
///
/// The times are those of `local start --latency aws`. An estimate, to tell people what to expect: AWS promises none of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estimate {
    resources: BTreeMap<String, Resource>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Resource {
    creation: Duration,
    /// When what refers to it can begin, where that is before it is complete.
    configuration: Option<Duration>,
    deletion: Duration,
    /// What has to be there before it.
    needs: BTreeSet<String>,
    /// All of them complete, not only configured.
    waits_for_the_end: bool,
}

/// When a resource has come how far.
#[derive(Debug, Clone, Copy)]
struct Times {
    configured: Duration,
    complete: Duration,
}

/// Direction of a stack operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Everything is being made.
    Creation,
    /// Everything is being deleted.
    Deletion,
}

impl Estimate {
    /// For a template with these values of its parameters.
    ///
    /// # Errors
    /// What CloudFormation would say about the template or the values.
    pub fn of(template: &str, parameters: &BTreeMap<String, String>) -> Result<Self, ApiError> {
        let template = Template::parse(template)?;
        let given = parameters.iter().map(|(name, text)| (name.clone(), Given::Value(text.clone()))).collect();
        let parameters = bind(&template, &given, None)?;
        let conditions = conditions::evaluate(&template, &somewhere(), &parameters)?;
        let dependencies = dependencies::dependencies(&template, &conditions)?;
        let resource = |(logical_id, needs): (String, BTreeSet<String>)| {
            let declared = template.resources.get(&logical_id)?;
            let properties = declared.properties.as_object().cloned().unwrap_or_default();
            let times = resources::times(&declared.resource_type, &properties);
            let resource = Resource {
                creation: times.creation(),
                configuration: times.configuration(),
                deletion: times.deletion(),
                needs,
                waits_for_the_end: declared.waits_for_the_end(),
            };
            Some((logical_id, resource))
        };
        Ok(Self { resources: dependencies.into_iter().filter_map(resource).collect() })
    }

    /// How many resources the stack has.
    pub fn resources(&self) -> usize {
        self.resources.len()
    }

    /// What this resource typically takes; `None` if the stack does not have it.
    pub fn typical(&self, logical_id: &str, way: Direction) -> Option<Duration> {
        self.resources.get(logical_id).map(|resource| resource.takes(way))
    }

    /// The longest chain of resources that wait for one another, when `left` says what is left of each: it is given the
    /// resource's name and what the resource typically takes.
    pub fn longest_chain(&self, way: Direction, left: impl Fn(&str, Duration) -> Duration) -> Duration {
        // The ways differ in which end of a chain comes first, and a chain is as long from either end.
        let mut known = BTreeMap::new();
        self.resources.keys().map(|name| self.times(name, way, &left, &mut known).complete).max().unwrap_or_default()
    }

    /// When `name` is there, if everything is made in the order of its needs. No circle: [`Self::of`] refuses them.
    fn times<'a>(
        &'a self,
        name: &'a str,
        way: Direction,
        left: &impl Fn(&str, Duration) -> Duration,
        known: &mut BTreeMap<&'a str, Times>,
    ) -> Times {
        if let Some(times) = known.get(name) {
            return *times;
        }
        let Some(resource) = self.resources.get(name) else {
            return Times { configured: Duration::ZERO, complete: Duration::ZERO };
        };
        let begins = resource.needs.iter().map(|needed| {
            let needed = self.times(needed, way, left, known);
            if resource.waits_for_the_end { needed.complete } else { needed.configured }
        });
        let begin = begins.max().unwrap_or_default();
        let complete = begin + left(name, resource.takes(way));
        let configuration = resource.configuration.filter(|_| way == Direction::Creation);
        let configured = configuration.map_or(complete, |typical| complete.min(begin + left(name, typical)));
        let times = Times { configured, complete };
        known.insert(name, times);
        times
    }
}

impl Resource {
    fn takes(&self, way: Direction) -> Duration {
        match way {
            Direction::Creation => self.creation,
            Direction::Deletion => self.deletion,
        }
    }
}

/// The times are the same everywhere.
fn somewhere() -> Environment {
    Environment {
        account_id: "000000000000".to_owned(),
        region: crate::identity::DEFAULT_REGION.to_owned(),
        partition: "aws".to_owned(),
        url_suffix: "amazonaws.com".to_owned(),
        stack_name: "stack".to_owned(),
        stack_id: "arn:aws:cloudformation:us-east-1:000000000000:stack/stack/00000000-0000-0000-0000-000000000000"
            .to_owned(),
        notification_arns: Vec::new(),
        availability_zones: zone::names(crate::identity::DEFAULT_REGION),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "
Parameters: {Egress: {Type: String, Default: none}}
Conditions: {HasNat: !Equals [!Ref Egress, nat]}
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
  Subnet: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/24}}
  Table: {Type: AWS::DynamoDB::Table, Properties: {}}
  Nat: {Type: AWS::EC2::NatGateway, Condition: HasNat, Properties: {SubnetId: !Ref Subnet}}
";

    fn estimate(egress: &str) -> Estimate {
        Estimate::of(TEMPLATE, &BTreeMap::from([("Egress".to_owned(), egress.to_owned())])).unwrap()
    }

    #[test]
    fn the_longest_chain_counts_only_what_exists() {
        let whole = |egress, way| estimate(egress).longest_chain(way, |_, typical| typical).as_secs();
        assert_eq!(whole("none", Direction::Creation), 30, "the table");
        assert_eq!(whole("nat", Direction::Creation), 13 + 5 + 105, "VPC, subnet, NAT gateway");
        assert_eq!(whole("nat", Direction::Deletion), 55 + 2 + 2);
    }

    #[test]
    fn what_is_done_takes_no_time_any_more() {
        let left = |name: &str, typical| if name == "Nat" { typical / 3 } else { Duration::ZERO };
        assert_eq!(estimate("nat").longest_chain(Direction::Creation, left).as_secs(), 35);
        assert_eq!(estimate("none").typical("Nat", Direction::Creation), None);
    }

    #[test]
    fn what_refers_to_a_configured_resource_does_not_wait_for_its_end() {
        let whole = |depends: &str, way| {
            let queue = "AWS::SQS::Queue, Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn}}";
            let template =
                format!("Resources:\n  Dead: {{Type: AWS::SQS::Queue}}\n  Queue: {{Type: {queue}{depends}}}\n");
            let estimate = Estimate::of(&template, &BTreeMap::new()).unwrap();
            estimate.longest_chain(way, |_, typical| typical).as_secs()
        };
        assert_eq!(whole("", Direction::Creation), 2 + 62);
        assert_eq!(whole(", DependsOn: Dead", Direction::Creation), 62 + 62);
        assert_eq!(whole("", Direction::Deletion), 31 + 31);
    }

    #[test]
    fn a_template_that_cannot_be_is_an_error() {
        assert!(Estimate::of("Resources: {A: {Type: AWS::EC2::VPC, DependsOn: A}}", &BTreeMap::new()).is_err());
    }
}
