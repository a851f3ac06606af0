//! GuardDuty with Runtime Monitoring puts an interface endpoint and a security group into every VPC in which Fargate tasks
//! run. No stack knows of them, and as long as they are there the VPC cannot be deleted
//! (<https://github.com/hashicorp/terraform-provider-aws/issues/46747>).

use std::time::Duration;

use super::clients::Clients;
use super::ec2::VpcEndpoint;
use super::patience::Patience;
use crate::error::{Doing, Error, Result};

/// End of the name of the service that the endpoint leads to.
const SERVICE: &str = ".guardduty-data";

/// Start of the security group's name.
const GROUP: &str = "GuardDutyManagedSecurityGroup";

/// How long the network interfaces of an endpoint take to go: a minute or two.
const LIMIT: Duration = Duration::from_secs(600);

/// Removes what GuardDuty has put into the VPC; `on_wait` is told what goes.
///
/// # Errors
/// When EC2 refuses, or the endpoint does not go.
pub(crate) async fn remove(clients: &Clients, vpc_id: &str, on_wait: impl FnOnce(&str)) -> Result<()> {
    let endpoints = endpoints(clients, vpc_id).await?;
    if endpoints.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = endpoints.iter().map(|endpoint| endpoint.vpc_endpoint_id.as_str()).collect();
    on_wait(&ids.join(", "));
    let refused = clients.ec2.delete_vpc_endpoints(&ids).await.doing("Deleting the endpoint of GuardDuty")?;
    if let Some(reason) = refused {
        return Err(Error::failed("Deleting the endpoint of GuardDuty failed.").cause(reason));
    }
    let mut patience = Patience::new(clients, LIMIT);
    while !self::endpoints(clients, vpc_id).await?.is_empty() {
        if !patience.wait().await {
            return Err(Error::failed(format!(
                "The endpoint of GuardDuty in {vpc_id} does not go: {}.",
                ids.join(", ")
            )));
        }
    }
    let groups = clients.ec2.describe_security_groups(vpc_id).await;
    for group in groups.doing(format_args!("Describing the security groups in {vpc_id}"))? {
        if group.group_name.starts_with(GROUP) {
            let doing = format!("Deleting the security group {}", group.group_name);
            clients.ec2.delete_security_group(&group.group_id).await.doing(doing)?;
        }
    }
    Ok(())
}

/// Its endpoints that are there; EC2 lists a deleted one for a while.
async fn endpoints(clients: &Clients, vpc_id: &str) -> Result<Vec<VpcEndpoint>> {
    let endpoints = clients.ec2.describe_vpc_endpoints(vpc_id).await;
    let mut endpoints = endpoints.doing(format_args!("Describing the VPC endpoints in {vpc_id}"))?;
    endpoints
        .retain(|endpoint| endpoint.service_name.ends_with(SERVICE) && endpoint.state.as_deref() != Some("deleted"));
    Ok(endpoints)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::scripted::Script;

    fn listed(state: &str) -> String {
        format!(
            "<DescribeVpcEndpointsResponse><vpcEndpointSet><item><vpcEndpointId>vpce-1</vpcEndpointId>\
             <vpcEndpointType>Interface</vpcEndpointType><serviceName>com.amazonaws.eu-west-1.guardduty-data</serviceName>\
             <state>{state}</state></item><item><vpcEndpointId>vpce-2</vpcEndpointId>\
             <vpcEndpointType>Gateway</vpcEndpointType><serviceName>com.amazonaws.eu-west-1.s3</serviceName>\
             </item></vpcEndpointSet></DescribeVpcEndpointsResponse>"
        )
    }

    fn groups() -> String {
        let item = |id: &str, name: &str| format!("<item><groupId>{id}</groupId><groupName>{name}</groupName></item>");
        let items = [item("sg-1", "default"), item("sg-2", "GuardDutyManagedSecurityGroup-vpc-1")].concat();
        format!(
            "<DescribeSecurityGroupsResponse><securityGroupInfo>{items}</securityGroupInfo></DescribeSecurityGroupsResponse>"
        )
    }

    fn done(operation: &str) -> String {
        format!("<{operation}Response><requestId>r</requestId></{operation}Response>")
    }

    #[tokio::test(start_paused = true)]
    async fn its_endpoint_goes_and_then_its_group_and_nothing_else() {
        let script = Script::default()
            .answers("DescribeVpcEndpoints", 200, listed("available"))
            .answers("DescribeVpcEndpoints", 200, listed("deleting"))
            .answers("DescribeVpcEndpoints", 200, listed("deleted"))
            .answers("DeleteVpcEndpoints", 200, done("DeleteVpcEndpoints"))
            .answers("DescribeSecurityGroups", 200, groups())
            .answers("DeleteSecurityGroup", 200, done("DeleteSecurityGroup"));
        let mut told = String::new();
        remove(&script.clients(), "vpc-1", |ids| ids.clone_into(&mut told)).await.unwrap();
        assert_eq!(told, "vpce-1");
        assert_eq!(script.requests("DescribeVpcEndpoints").len(), 3);
        assert_eq!(script.requests("DeleteSecurityGroup").len(), 1);
    }

    #[tokio::test]
    async fn without_guard_duty_nothing_is_deleted() {
        let none = "<DescribeVpcEndpointsResponse><vpcEndpointSet/></DescribeVpcEndpointsResponse>";
        let script = Script::default().answers("DescribeVpcEndpoints", 200, none.to_owned());
        remove(&script.clients(), "vpc-1", |_| panic!("nothing goes")).await.unwrap();
    }

    #[tokio::test]
    async fn a_refusal_in_the_answer_is_one() {
        let refused = "<DeleteVpcEndpointsResponse><unsuccessful><item><error><code>OperationNotPermitted</code>\
                       <message>It is managed.</message></error><resourceId>vpce-1</resourceId></item></unsuccessful>\
                       </DeleteVpcEndpointsResponse>";
        let script = Script::default().answers("DescribeVpcEndpoints", 200, listed("available")).answers(
            "DeleteVpcEndpoints",
            200,
            refused.to_owned(),
        );
        let error = remove(&script.clients(), "vpc-1", |_| {}).await.unwrap_err();
        assert!(error.to_string().contains("OperationNotPermitted: It is managed."), "{error}");
    }
}
