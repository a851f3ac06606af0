//! What the account may have at most, against what `up` needs and what is there already.

use super::Check;
use super::identity::unread;
use crate::aws::clients::Clients;
use crate::aws::stack;
use crate::environment::{Environment, NETWORK_STACK};
use crate::error::{Doing, Error, Result};
use crate::lab::variant::Variant;

/// vCPUs of a task.
const VCPU_OF_TASK: f64 = 0.25;

/// A quota, what is used of it, and what comes on top.
struct Demand {
    check: &'static str,
    service: &'static str,
    code: &'static str,
    /// `None`: what others use of it, no call tells.
    used: Result<Option<f64>>,
    needed: f64,
}

pub(super) async fn checks(clients: &Clients, environments: &[Environment]) -> Vec<Check> {
    let (stacks, vpcs, addresses, nats) =
        tokio::join!(stack::all(clients), vpcs(clients), addresses(clients), nat_gateways(clients));
    let stacks = match stacks {
        Ok(stacks) => stacks,
        Err(error) => return vec![unread("quotas", &error)],
    };
    let exists = |name: &str| stacks.iter().any(|stack| stack.name == name);
    let network = if exists(NETWORK_STACK) { 0.0 } else { 1.0 };
    let count = |number: usize| u32::try_from(number).map_or(f64::INFINITY, f64::from);
    let new = count(environments.iter().filter(|environment| !exists(&environment.stack_name())).count());
    // At a time, in each environment: an experiment stops all that run.
    let tasks = f64::from(Variant::most_tasks());
    let demand = |check, service, code, used, needed| Demand { check, service, code, used, needed };
    let demands = [
        demand("quota VPCs", "vpc", "L-F678F1CE", vpcs.map(|used| Some(count(used))), network),
        demand("quota elastic IPs", "ec2", "L-0263D0A3", addresses.map(|used| Some(count(used))), network),
        demand("quota NAT gateways per zone", "vpc", "L-FE5A380F", nats.map(|used| Some(count(used))), network),
        demand("quota stacks", "cloudformation", "L-0485CB21", Ok(Some(count(stacks.len()))), new + network),
        demand(
            "quota Fargate vCPUs",
            "fargate",
            "L-3032A538",
            Ok(None),
            count(environments.len()) * tasks * VCPU_OF_TASK,
        ),
        demand("quota FIS tasks per experiment", "fis", "L-48D12416", Ok(None), tasks),
    ];
    // Service Quotas allows few requests a second, and the SDK repeats what is throttled.
    futures_util::future::join_all(demands.map(|demand| compare(clients, demand))).await
}

async fn compare(clients: &Clients, demand: Demand) -> Check {
    let (quota, used) = match (value(clients, &demand).await, &demand.used) {
        (Ok(Some(quota)), Ok(used)) => (quota, *used),
        (Ok(None), _) => return unread(demand.check, &Error::failed("AWS names no value.")),
        (Err(error), _) => return unread(demand.check, &error),
        (Ok(_), Err(error)) => return unread(demand.check, error),
    };
    judge(&demand, quota, used)
}

/// The account's own value; for some quotas AWS has a default only, and tells it by another call.
async fn value(clients: &Clients, demand: &Demand) -> Result<Option<f64>> {
    let doing = format!("Reading the {}", demand.check);
    let applied = clients.quotas.get_service_quota().service_code(demand.service).quota_code(demand.code);
    match applied.send().await.doing(&doing) {
        Ok(answer) => Ok(answer.quota().and_then(|quota| quota.value())),
        Err(error) if error.has_code(&["NoSuchResourceException"]) => {
            let default =
                clients.quotas.get_aws_default_service_quota().service_code(demand.service).quota_code(demand.code);
            Ok(default.send().await.doing(&doing)?.quota().and_then(|quota| quota.value()))
        }
        Err(error) => Err(error),
    }
}

fn judge(demand: &Demand, quota: f64, used: Option<f64>) -> Check {
    let needed = demand.needed;
    let found = match used {
        Some(used) => format!("{quota} allowed, {used} used, {needed} needed"),
        None => format!("{quota} allowed, {needed} needed"),
    };
    if used.unwrap_or(0.0) + needed <= quota || needed == 0.0 {
        return Check::ok(demand.check, found);
    }
    let remedy = format!(
        "Ask for more (`aws service-quotas request-service-quota-increase --service-code {} --quota-code {} \
         --desired-value NUMBER`), remove what is not used, or set up fewer environments.",
        demand.service, demand.code
    );
    // How the gateways are spread over the zones does not show.
    let is_certain = demand.code != "L-FE5A380F";
    if is_certain { Check::problem(demand.check, found, remedy) } else { Check::warning(demand.check, found, remedy) }
}

async fn vpcs(clients: &Clients) -> Result<usize> {
    Ok(clients.ec2.describe_vpcs().await.doing("Describing the VPCs")?.len())
}

async fn addresses(clients: &Clients) -> Result<usize> {
    Ok(clients.ec2.describe_addresses().await.doing("Describing the elastic IPs")?.len())
}

async fn nat_gateways(clients: &Clients) -> Result<usize> {
    let nats = clients.ec2.describe_nat_gateways().await.doing("Describing the NAT gateways")?;
    Ok(nats.iter().filter(|nat| !matches!(nat.state.as_str(), "deleted" | "failed")).count())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::scripted::Script;
    use crate::doctor::Level;

    #[tokio::test]
    async fn a_quota_with_a_default_only_is_read_as_well() {
        let script = Script::default()
            .refusal("GetServiceQuota", 400, "NoSuchResourceException", "The request failed.")
            .answer("GetAWSDefaultServiceQuota", json!({"Quota": {"QuotaCode": "L-F678F1CE", "Value": 5.0}}));
        let demand =
            Demand { check: "quota VPCs", service: "vpc", code: "L-F678F1CE", used: Ok(Some(5.0)), needed: 1.0 };
        let check = compare(&script.clients(), demand).await;
        assert_eq!((check.level, check.found.as_str()), (Level::Problem, "5 allowed, 5 used, 1 needed"));
    }

    #[test]
    fn what_is_there_already_and_is_ours_is_not_needed_once_more() {
        let level = |needed, used| {
            let demand = Demand { check: "quota VPCs", service: "vpc", code: "L-F678F1CE", used: Ok(None), needed };
            judge(&demand, 5.0, used).level
        };
        assert_eq!(level(1.0, Some(4.0)), Level::Ok);
        assert_eq!(level(1.0, Some(5.0)), Level::Problem);
        assert_eq!(level(0.0, Some(5.0)), Level::Ok);
        assert_eq!(level(10.0, None), Level::Problem);
    }
}
