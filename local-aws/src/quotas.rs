//! Service Quotas: what the account may have at most. The services that hold a limit take it from here.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::paging::page;
use crate::service::{Operation, Service};
use crate::wire;

/// A quota, with AWS's default value.
pub(crate) struct Quota {
    service_code: &'static str,
    service_name: &'static str,
    code: &'static str,
    name: &'static str,
    pub(crate) value: u32,
    /// Whether one more fails here as on AWS. Machines have no such limit for the others, which are told only.
    is_enforced: bool,
}

const fn enforced(service: (&'static str, &'static str), code: &'static str, name: &'static str, value: u32) -> Quota {
    let (service_code, service_name) = service;
    Quota { service_code, service_name, code, name, value, is_enforced: true }
}

const fn told(service: (&'static str, &'static str), code: &'static str, name: &'static str, value: u32) -> Quota {
    Quota { is_enforced: false, ..enforced(service, code, name, value) }
}

const VPC: (&str, &str) = ("vpc", "Amazon Virtual Private Cloud (Amazon VPC)");
const EC2: (&str, &str) = ("ec2", "Amazon Elastic Compute Cloud (Amazon EC2)");
const FARGATE: (&str, &str) = ("fargate", "AWS Fargate");
const FIS: (&str, &str) = ("fis", "AWS Fault Injection Service");
const CLOUDFORMATION: (&str, &str) = ("cloudformation", "AWS CloudFormation");

pub(crate) const VPCS: Quota = enforced(VPC, "L-F678F1CE", "VPCs per Region", 5);
pub(crate) const ELASTIC_IPS: Quota = enforced(EC2, "L-0263D0A3", "EC2-VPC Elastic IPs", 5);
pub(crate) const NAT_GATEWAYS: Quota = enforced(VPC, "L-FE5A380F", "NAT gateways per Availability Zone", 5);
pub(crate) const STOPPED_TASKS: Quota = enforced(FIS, "L-48D12416", "Target Tasks for aws:ecs:stop-task", 5);
const VCPUS: Quota = told(FARGATE, "L-3032A538", "Fargate On-Demand vCPU resource count", 6);
const STACKS: Quota = told(CLOUDFORMATION, "L-0485CB21", "Stack count", 2000);

const QUOTAS: [&Quota; 6] = [&STACKS, &ELASTIC_IPS, &VCPUS, &STOPPED_TASKS, &VPCS, &NAT_GATEWAYS];

impl Quota {
    /// Whether one more would be too many.
    pub(crate) fn is_reached(&self, count: usize) -> bool {
        self.is_enforced && usize::try_from(self.value).is_ok_and(|value| count >= value)
    }

    fn describe(&self, endpoint: &Endpoint) -> Value {
        json!({
            "ServiceCode": self.service_code,
            "ServiceName": self.service_name,
            "QuotaArn": endpoint.arn("servicequotas", &format!("{}/{}", self.service_code, self.code)),
            "QuotaCode": self.code,
            "QuotaName": self.name,
            "Value": f64::from(self.value),
            "Unit": "None",
            "Adjustable": true,
            "GlobalQuota": false,
        })
    }
}

pub(crate) static SERVICE: Service = Service::new(
    "Service Quotas",
    wire::Service::json("servicequotas", "1.1", &["ServiceQuotasV20190624"]),
    "IllegalArgumentException",
    &[
        Operation::now("GetAWSDefaultServiceQuota", |call| get(&call.endpoint, &call.decode()?)),
        Operation::now("GetServiceQuota", |call| get(&call.endpoint, &call.decode()?)),
        Operation::now("ListServiceQuotas", |call| list(&call.endpoint, &call.decode()?)),
    ],
);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct GetServiceQuota {
    service_code: String,
    quota_code: String,
}

fn get(endpoint: &Endpoint, input: &GetServiceQuota) -> Result<Value, ApiError> {
    let GetServiceQuota { service_code, quota_code } = input;
    let mut quotas = QUOTAS.iter();
    let quota = quotas.find(|quota| (quota.service_code, quota.code) == (service_code, quota_code));
    let quota = quota.ok_or_else(|| {
        no_such_resource(format!("The request failed because the specified service quota does not exist: {quota_code} of {service_code}; the local endpoint knows those in docs/reference/local-aws.md."))
    })?;
    Ok(json!({"Quota": quota.describe(endpoint)}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct ListServiceQuotas {
    service_code: String,
    next_token: Option<String>,
    max_results: Option<usize>,
}

fn list(endpoint: &Endpoint, input: &ListServiceQuotas) -> Result<Value, ApiError> {
    let quotas: Vec<&Quota> = QUOTAS.into_iter().filter(|quota| quota.service_code == input.service_code).collect();
    if quotas.is_empty() {
        return Err(no_such_resource(format!(
            "The request failed because the service {} does not exist.",
            input.service_code
        )));
    }
    let limit @ 1..=100 = input.max_results.unwrap_or(100) else {
        return Err(ApiError::new("IllegalArgumentException", "MaxResults must be between 1 and 100."));
    };
    let bad_token = || ApiError::new("InvalidPaginationTokenException", "Invalid NextToken.");
    let by_code = |quota: &&Quota| quota.code.to_owned();
    let mut quotas = quotas;
    quotas.sort_by_key(by_code);
    let (quotas, next) = page(quotas, by_code, false, input.next_token.as_deref(), limit, bad_token)?;
    let mut output = json!({"Quotas": quotas.iter().map(|quota| quota.describe(endpoint)).collect::<Vec<_>>()});
    if let Some(next) = next {
        output["NextToken"] = json!(next);
    }
    Ok(output)
}

fn no_such_resource(message: String) -> ApiError {
    ApiError::new("NoSuchResourceException", message)
}

/// The table of the reference page.
#[cfg(test)]
pub(crate) fn table() -> String {
    let row = |quota: &&Quota| {
        let enforced = if quota.is_enforced { "yes" } else { "no" };
        format!("| {} | `{}` | `{}` | {} | {enforced} |\n", quota.name, quota.service_code, quota.code, quota.value)
    };
    QUOTAS.iter().map(row).collect()
}
