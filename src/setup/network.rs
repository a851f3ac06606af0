//! What an environment needs to know of the network.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::ResourceStatus;

use crate::aws::stack::{Event, Stack};
use crate::error::Result;

/// The network's resources that an environment takes as parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NetworkIds {
    /// The private subnets, separated by a comma.
    pub(crate) subnet_ids: String,
    /// The security group of the tasks.
    pub(crate) security_group_id: String,
    pub(crate) repository_arn: String,
    /// Start of the images' references.
    pub(crate) repository_uri: String,
}

impl NetworkIds {
    /// Out of the outputs of the complete stack.
    ///
    /// # Errors
    /// When an output is missing.
    pub(crate) fn of_stack(stack: &Stack) -> Result<Self> {
        let output = |key: &str| stack.output(key).map(str::to_owned);
        Ok(Self {
            subnet_ids: output("PrivateSubnetIds")?,
            security_group_id: output("TaskSecurityGroupId")?,
            repository_arn: output("RepositoryArn")?,
            repository_uri: output("RepositoryUri")?,
        })
    }
}

/// Collects the ids while the stack is still being made: they are there minutes before its NAT gateway.
#[derive(Debug, Default)]
pub(super) struct NetworkOutputs {
    stack_arn: Option<String>,
    physical_ids: BTreeMap<String, String>,
}

impl NetworkOutputs {
    const NEEDED: [&'static str; 4] = ["PrivateSubnet1", "PrivateSubnet2", "TaskSecurityGroup", "Repository"];

    /// Takes note of `event`; returns the ids once all are known, and again with each event after that.
    pub(super) fn note(&mut self, event: &Event) -> Option<NetworkIds> {
        if event.is_stack {
            self.stack_arn = Some(event.physical_id.clone());
        }
        if Self::NEEDED.contains(&event.logical_id.as_str()) && event.status == ResourceStatus::CreateComplete {
            self.physical_ids.insert(event.logical_id.clone(), event.physical_id.clone());
        }
        let [first, second, group, repository] = Self::NEEDED.map(|id| self.physical_ids.get(id));
        let (stack_arn, repository) = (self.stack_arn.as_ref()?, repository?);
        // arn:PARTITION:cloudformation:REGION:ACCOUNT:stack/NAME/ID
        let mut arn = stack_arn.split(':').skip(1);
        let (partition, region, account) = (arn.next()?, arn.nth(1)?, arn.next()?);
        let suffix = if partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
        Some(NetworkIds {
            subnet_ids: format!("{},{}", first?, second?),
            security_group_id: group?.clone(),
            repository_arn: format!("arn:{partition}:ecr:{region}:{account}:repository/{repository}"),
            repository_uri: format!("{account}.dkr.ecr.{region}.{suffix}/{repository}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ids_are_known_when_the_last_of_the_four_is_created() {
        let arn = "arn:aws:cloudformation:eu-west-1:123456789012:stack/FisStackVpc/1";
        let mut gathered = NetworkOutputs::default();
        let event = |logical_id: &str, status: &str| Event {
            id: String::new(),
            time: std::time::SystemTime::UNIX_EPOCH,
            logical_id: logical_id.into(),
            physical_id: format!("{logical_id}-id").to_lowercase(),
            resource_type: String::new(),
            status: status.into(),
            reason: String::new(),
            is_stack: false,
        };
        let stack = Event { physical_id: arn.into(), is_stack: true, ..event("FisStackVpc", "CREATE_IN_PROGRESS") };
        assert_eq!(gathered.note(&stack), None);
        for id in ["PrivateSubnet2", "Repository", "FisVpc", "PrivateSubnet1"] {
            assert_eq!(gathered.note(&event(id, "CREATE_COMPLETE")), None);
        }
        assert_eq!(gathered.note(&event("TaskSecurityGroup", "CREATE_IN_PROGRESS")), None);
        let ids = gathered.note(&event("TaskSecurityGroup", "CREATE_COMPLETE")).unwrap();
        assert_eq!(ids.subnet_ids, "privatesubnet1-id,privatesubnet2-id");
        assert_eq!(ids.repository_arn, "arn:aws:ecr:eu-west-1:123456789012:repository/repository-id");
        assert_eq!(ids.repository_uri, "123456789012.dkr.ecr.eu-west-1.amazonaws.com/repository-id");
    }
}
