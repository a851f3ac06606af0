//! Quotas: what Service Quotas says of them, and what is over them.

use aws_sdk_cloudformation::Client;
use aws_sdk_servicequotas::error::ProvideErrorMetadata;

use crate::harness::Endpoint;
use crate::network::{create, delete, failures};

#[tokio::test]
async fn service_quotas_gives_the_defaults_that_matter() {
    let endpoint = Endpoint::start().await;
    let client = aws_sdk_servicequotas::Client::new(&endpoint.sdk_config());
    for (service, code, value) in [
        ("vpc", "L-F678F1CE", 5.0),
        ("ec2", "L-0263D0A3", 5.0),
        ("vpc", "L-FE5A380F", 5.0),
        ("fargate", "L-3032A538", 6.0),
        ("fis", "L-48D12416", 5.0),
        ("cloudformation", "L-0485CB21", 2000.0),
    ] {
        let applied = client.get_service_quota().service_code(service).quota_code(code).send().await.unwrap();
        assert_eq!(applied.quota().unwrap().value(), Some(value), "{service} {code}");
        let default = client.get_aws_default_service_quota().service_code(service).quota_code(code);
        let default = default.send().await.unwrap();
        assert_eq!(default.quota(), applied.quota());
        assert_eq!(default.quota().unwrap().quota_code(), Some(code));
    }
    let other = client.get_service_quota().service_code("vpc").quota_code("L-00000000").send().await.unwrap_err();
    assert_eq!(other.code(), Some("NoSuchResourceException"));
    let first = client.list_service_quotas().service_code("vpc").max_results(1).send().await.unwrap();
    let second = client.list_service_quotas().service_code("vpc").max_results(1).set_next_token(first.next_token);
    let second = second.send().await.unwrap();
    let codes = [first.quotas.unwrap(), second.quotas.unwrap()].concat();
    let codes: Vec<_> = codes.iter().map(|quota| quota.quota_code().unwrap()).collect();
    assert_eq!((codes.as_slice(), second.next_token), (["L-F678F1CE", "L-FE5A380F"].as_slice(), None));
    let unknown = client.list_service_quotas().service_code("nothing").send().await.unwrap_err();
    assert_eq!(unknown.code(), Some("NoSuchResourceException"));
    endpoint.stop().await;
}

#[tokio::test]
async fn a_resource_over_its_quota_fails_its_stack_in_ec2s_words() {
    let endpoint = Endpoint::start().await;
    let client = Client::new(&endpoint.sdk_config());
    let of = |kind: &str, properties: &str, count: usize| {
        let one = |number: usize| format!("  R{number}: {{Type: 'AWS::EC2::{kind}', Properties: {properties}}}\n");
        format!("Resources:\n{}", (0..count).map(one).collect::<String>())
    };
    for (kind, properties, code, message) in [
        ("VPC", "{CidrBlock: 10.0.0.0/16}", "VpcLimitExceeded", "The maximum number of VPCs has been reached."),
        ("EIP", "{Domain: vpc}", "AddressLimitExceeded", "The maximum number of addresses has been reached."),
    ] {
        assert_eq!(create(&client, "Five", &of(kind, properties, 5), &[]).await, "CREATE_COMPLETE");
        assert_eq!(create(&client, "Sixth", &of(kind, properties, 1), &[]).await, "ROLLBACK_COMPLETE");
        let reason = failures(&client, "Sixth").await.remove("R0").unwrap();
        assert!(reason.contains(message), "{code}: {reason}");
        for stack in ["Sixth", "Five"] {
            assert_eq!(delete(&client, stack).await, "DELETE_COMPLETE");
        }
    }
    endpoint.stop().await;
}
