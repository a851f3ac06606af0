//! Random inputs at the front door: none of them ends the endpoint, gets a fault of its own as the answer, or holds it up.
//!
//! The seeds in `corpus/` are inputs that once did, and one of each form. `TEST_SEED` plays a run again, `FUZZ_CASES` says
//! how many cases there are of each kind.

use std::path::Path;
use std::time::Duration;

use aws_sdk_cloudformation::types::{Capability, ChangeSetType};
use aws_sdk_ecs::config::http::HttpResponse;
use aws_sdk_ecs::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_ecs::config::timeout::TimeoutConfig;
use aws_sdk_ecs::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ecs::error::{BoxError, SdkError};
use aws_smithy_types::body::SdkBody;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::harness::{Endpoint, until};
use crate::registry_client::Registry;

/// Longer than any answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Bytes and words that mean something to one of the decoders.
const TOKENS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "\"",
    "'",
    "\\",
    "&",
    "=",
    ".",
    "%",
    ":",
    "*",
    "?",
    "|",
    "-",
    "/",
    "#",
    ",",
    "!",
    " ",
    "\n",
    "\t",
    "\0",
    "\u{ff}",
    "\u{202e}",
    "0",
    "-1",
    "18446744073709551616",
    "1e999",
    "null",
    "true",
    "Ref",
    "Fn::Sub",
    "${",
    "*a",
    "&a ",
    "<<",
    "../",
    "%2e%2e/",
    "{{resolve:ssm:a}}",
    "AWS::NoValue",
    "\\u0000",
    "\u{feff}",
];

/// Random inputs of one kind, which begin with the seeds themselves.
struct Inputs {
    rng: StdRng,
    seeds: Vec<(String, Vec<u8>)>,
    count: usize,
    number: usize,
}

impl Inputs {
    #[expect(clippy::print_stdout, reason = "a failing test says how to play it again")]
    fn of(kind: &str) -> Self {
        let seed = std::env::var("TEST_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
        let count = std::env::var("FUZZ_CASES").map_or(250, |count| count.parse().unwrap());
        println!("TEST_SEED={seed} plays this again");
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/corpus").join(kind);
        let entries = std::fs::read_dir(directory).unwrap().map(Result::unwrap);
        let mut seeds: Vec<(String, Vec<u8>)> = entries
            .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
            .collect();
        seeds.sort();
        Self { rng: StdRng::seed_from_u64(seed), seeds, count, number: 0 }
    }

    fn mutate(&mut self, input: &mut Vec<u8>) {
        let rng = &mut self.rng;
        let (begin, end) = (rng.random_range(0..=input.len()), rng.random_range(0..=input.len()));
        let slice = begin.min(end)..begin.max(end);
        match rng.random_range(0..6) {
            0 => input.truncate(begin),
            1 => drop(input.drain(slice)),
            2 => {
                let times = 10_usize.pow(rng.random_range(0..5));
                let length = rng.random_range(0..=slice.len().min(20_000 / times + 1));
                let copies = input[slice.start..slice.start + length].repeat(times);
                input.splice(begin..begin, copies);
            }
            3 => {
                let token = TOKENS.choose(rng).unwrap().repeat(*[1, 1, 2, 10_000].choose(rng).unwrap());
                input.splice(begin..begin, token.bytes());
            }
            4 => {
                let token = TOKENS.choose(rng).unwrap();
                input.splice(slice, token.bytes());
            }
            _ => {
                let other = &self.seeds.choose(rng).unwrap().1;
                input.splice(slice, other[rng.random_range(0..=other.len())..].iter().copied());
            }
        }
    }
}

impl Iterator for Inputs {
    type Item = (String, Vec<u8>);

    fn next(&mut self) -> Option<Self::Item> {
        let number = self.number;
        self.number += 1;
        if let Some(seed) = self.seeds.get(number) {
            return Some(seed.clone());
        }
        let (name, mut input) = self.seeds.choose(&mut self.rng).unwrap().clone();
        for _ in 0..self.rng.random_range(1..5) {
            self.mutate(&mut input);
        }
        (number < self.count).then_some((name, input))
    }
}

/// Sends another body than the operation's.
#[derive(Debug)]
struct Body {
    target: Option<String>,
    bytes: Vec<u8>,
}

impl Intercept for Body {
    fn name(&self) -> &'static str {
        "body"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        if let Some(target) = &self.target {
            request.headers_mut().insert("x-amz-target", target.clone());
        }
        request.headers_mut().insert("content-length", self.bytes.len().to_string());
        *request.body_mut() = SdkBody::from(self.bytes.as_slice());
        Ok(())
    }
}

/// An endpoint, and a way to it without second tries.
async fn endpoint() -> (Endpoint, aws_config::SdkConfig) {
    let endpoint = Endpoint::start().await;
    let timeout = TimeoutConfig::builder().operation_timeout(PATIENCE).build();
    let config = endpoint.sdk_config().into_builder().timeout_config(timeout);
    let config = config.retry_config(aws_config::retry::RetryConfig::disabled()).build();
    (endpoint, config)
}

/// Whatever the answer is, it is one, and no fault of the endpoint.
fn answered<T, E: std::fmt::Debug>(result: Result<T, SdkError<E, HttpResponse>>, input: &[u8]) {
    let Err(error) = result else { return };
    let status = error.raw_response().map(|response| response.status().as_u16());
    let shown = || String::from_utf8_lossy(&input[..input.len().min(3000)]).into_owned();
    assert!(status.is_some_and(|status| status < 500), "{error:?}\nfor {}", shown());
}

#[tokio::test]
async fn forms() {
    let (_endpoint, config) = endpoint().await;
    let client = aws_sdk_cloudformation::Client::new(&config);
    for (_, bytes) in Inputs::of("form") {
        let call = client.list_stacks().customize().interceptor(Body { target: None, bytes: bytes.clone() });
        answered(call.send().await, &bytes);
    }
}

#[tokio::test]
async fn json() {
    let (_endpoint, config) = endpoint().await;
    let stack = "Resources:\n  T: {Type: AWS::DynamoDB::Table, Properties: {TableName: Tab, BillingMode: PAY_PER_REQUEST, \
                 KeySchema: [{AttributeName: Id, KeyType: HASH}], AttributeDefinitions: [{AttributeName: Id, \
                 AttributeType: S}]}}\n  G: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: g}}\n";
    let cloudformation = aws_sdk_cloudformation::Client::new(&config);
    cloudformation.create_stack().stack_name("s").template_body(stack).send().await.unwrap();
    let complete = async || {
        let described = cloudformation.describe_stacks().stack_name("s").send().await.unwrap();
        (described.stacks()[0].stack_status()?.as_str() == "CREATE_COMPLETE").then_some(())
    };
    until("the stack", complete).await;
    let client = aws_sdk_ecs::Client::new(&config);
    for (target, bytes) in Inputs::of("json") {
        let call = client.list_clusters().customize();
        let call = call.interceptor(Body { target: Some(target), bytes: bytes.clone() });
        answered(call.send().await, &bytes);
    }
}

#[tokio::test]
async fn templates() {
    let (_endpoint, config) = endpoint().await;
    let client = aws_sdk_cloudformation::Client::new(&config);
    for (number, (_, bytes)) in Inputs::of("template").enumerate() {
        let body = String::from_utf8_lossy(&bytes);
        answered(client.validate_template().template_body(&*body).send().await, &bytes);
        let change_set = client.create_change_set().stack_name("s").change_set_name(format!("c{number}"));
        let change_set = change_set.change_set_type(ChangeSetType::Create).capabilities(Capability::CapabilityNamedIam);
        answered(change_set.template_body(&*body).send().await, &bytes);
        // What could be made of it is made, policies with it.
        if number % 4 == 0 {
            let stack = client.create_stack().stack_name(format!("s{number}")).template_body(&*body);
            answered(stack.capabilities(Capability::CapabilityNamedIam).send().await, &bytes);
        }
    }
}

#[tokio::test]
async fn filter_patterns() {
    let (_endpoint, config) = endpoint().await;
    let client = aws_sdk_cloudwatchlogs::Client::new(&config);
    client.create_log_group().log_group_name("g").send().await.unwrap();
    for (_, bytes) in Inputs::of("pattern") {
        let pattern = String::from_utf8_lossy(&bytes);
        answered(client.filter_log_events().log_group_name("g").filter_pattern(pattern).send().await, &bytes);
    }
}

#[tokio::test]
async fn paths_and_manifests_of_the_registry() {
    let (_endpoint, config) = endpoint().await;
    let registry = Registry::new(&config, "fuzz").await;
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
    for (number, (_, bytes)) in Inputs::of("path").enumerate() {
        // What a client can put into the first line of a request.
        let path: String = bytes.into_iter().filter(u8::is_ascii_graphic).take(8000).map(char::from).collect();
        let path = format!("/{path}");
        let send = registry.send(methods[number % methods.len()], &path, &[], b"");
        let answer = tokio::time::timeout(PATIENCE, send).await.expect("an answer");
        assert!(answer.status < 500, "{answer:?} for {path}");
    }
    let kind = &[("content-type", "application/vnd.oci.image.manifest.v1+json")];
    for (_, bytes) in Inputs::of("manifest") {
        let send = registry.send("PUT", "manifests/t", kind, &bytes);
        let answer = tokio::time::timeout(PATIENCE, send).await.expect("an answer");
        assert!(answer.status < 500, "{answer:?} for {}", String::from_utf8_lossy(&bytes));
    }
}
