//! Who gets in, and what the others are told; what happens to a state that cannot be used.

use std::io::{Read, Write};
use std::net::TcpStream;

use aws_sdk_sts::error::ProvideErrorMetadata;

use crate::harness::Endpoint;

/// Sends raw HTTP and returns status and body.
fn send(endpoint: &Endpoint, request: &str) -> (u16, String) {
    let address = endpoint.url().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.write_all(request.replace("HOST", &address).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

fn post(headers: &str, body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn the_signature_says_who_calls() {
    let endpoint = Endpoint::start().await;
    let identity = aws_sdk_sts::Client::new(&endpoint.sdk_config()).get_caller_identity().send().await.unwrap();
    assert_eq!(identity.account(), Some("000000000000"));
    assert_eq!(identity.arn(), Some("arn:aws:iam::000000000000:user/fis-workshop"));
}

#[tokio::test]
async fn a_wrong_secret_and_an_unknown_key_are_refused_in_the_services_own_words() {
    let endpoint = Endpoint::start().await;
    let key = endpoint.identity().access_key_id;
    let wrong = endpoint.sdk_config_as(&key, "not the secret", None);
    let query = aws_sdk_sts::Client::new(&wrong).get_caller_identity().send().await.unwrap_err();
    assert_eq!(query.code(), Some("SignatureDoesNotMatch"));
    assert_eq!(query.raw_response().unwrap().status().as_u16(), 403);
    let json = aws_sdk_ecs::Client::new(&wrong).list_clusters().send().await.unwrap_err();
    assert_eq!(json.code(), Some("InvalidSignatureException"));
    assert_eq!(json.raw_response().unwrap().status().as_u16(), 403);

    let stranger = endpoint.sdk_config_as("AKIASTRANGER", "secret", None);
    let query = aws_sdk_cloudformation::Client::new(&stranger).list_stacks().send().await.unwrap_err();
    assert_eq!(query.code(), Some("InvalidClientTokenId"));
    let rest = aws_sdk_fis::Client::new(&stranger).list_experiments().send().await.unwrap_err();
    assert_eq!(rest.code(), Some("UnrecognizedClientException"));
    assert!(rest.message().unwrap().contains("fis-workshop local env"), "{rest:?}");
}

#[tokio::test]
async fn another_region_is_refused_with_the_remedy() {
    let endpoint = Endpoint::start().await;
    let elsewhere = endpoint.sdk_config().to_builder().region(aws_config::Region::new("eu-north-1")).build();
    let error = aws_sdk_ecs::Client::new(&elsewhere).list_clusters().send().await.unwrap_err();
    assert!(error.message().unwrap().contains("AWS_REGION=us-east-1"), "{error:?}");
}

#[tokio::test]
async fn an_unsigned_request_gets_403_in_each_services_shape() {
    let endpoint = Endpoint::start().await;
    let (status, body) = send(&endpoint, &post("", "Action=ListStacks&Version=2010-05-15"));
    assert_eq!(status, 403);
    assert!(body.contains("<Code>MissingAuthenticationToken</Code>") && body.contains("<ErrorResponse"), "{body}");
    let (status, body) = send(&endpoint, &post("", "Action=DescribeVpcs&Version=2016-11-15"));
    assert_eq!(status, 403);
    assert!(body.contains("<Response") && body.contains("<Errors><Error><Code>MissingAuthenticationToken"), "{body}");
    let (status, body) = send(&endpoint, &post("X-Amz-Target: DynamoDB_20120810.ListTables\r\n", "{}"));
    assert_eq!(status, 403);
    assert!(body.contains(r#""__type":"MissingAuthenticationTokenException""#), "{body}");
    let (status, body) =
        send(&endpoint, "GET /experiments HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(status, 403);
    assert!(body.contains("MissingAuthenticationTokenException"), "{body}");
}

#[tokio::test]
async fn browser_pages_and_foreign_names_are_refused() {
    let endpoint = Endpoint::start().await;
    let (status, body) = send(&endpoint, &post("Origin: http://evil.example\r\n", ""));
    assert_eq!((status, body.as_str()), (403, "This endpoint does not serve browser pages.\n"));
    let rebound = post("", "").replace("HOST", "evil.example:4566");
    assert_eq!(send(&endpoint, &rebound).0, 403);
}

#[tokio::test]
async fn what_is_no_aws_service_is_not_found() {
    let endpoint = Endpoint::start().await;
    assert_eq!(send(&endpoint, &post("X-Amz-Target: AmazonKinesis_20131202.ListStreams\r\n", "{}")).0, 404);
    assert_eq!(send(&endpoint, &post("", "Action=ListQueues&Version=2012-11-05")).0, 404);
}

#[tokio::test]
async fn an_unknown_operation_is_refused_by_name() {
    let endpoint = Endpoint::start().await;
    let error = aws_sdk_ecs::Client::new(&endpoint.sdk_config()).list_attributes().send().await;
    let error = error.unwrap_err();
    assert!(error.message().unwrap_or_default().contains("ecs:ListAttributes"), "{error:?}");
}

#[tokio::test]
async fn only_a_loopback_listener_is_served() {
    let dir = tempfile::tempdir().unwrap();
    let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
    let error = local_aws::serve(listener, dir.path(), local_aws::Options::default(), std::future::pending())
        .await
        .unwrap_err();
    assert!(error.message.contains("not a loopback address"), "{error}");
}

#[tokio::test]
async fn two_endpoints_do_not_share_a_state() {
    let endpoint = Endpoint::start().await;
    // Answers only once it holds the lock.
    aws_sdk_sts::Client::new(&endpoint.sdk_config()).get_caller_identity().send().await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = local_aws::serve(listener, endpoint.state_dir(), local_aws::Options::default(), std::future::pending())
        .await
        .unwrap_err();
    assert!(error.message.contains("already serves"), "{error}");
}

async fn refused_with(files: &[(&str, &str)]) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(dir.path().join(name), content).unwrap();
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = local_aws::serve(listener, dir.path(), local_aws::Options::default(), std::future::pending())
        .await
        .unwrap_err();
    for (name, content) in files {
        assert_eq!(std::fs::read_to_string(dir.path().join(name)).unwrap(), *content, "{name} was changed");
    }
    (dir, error.message)
}

#[tokio::test]
async fn a_damaged_state_is_left_alone_and_the_error_says_what_to_do() {
    let garbage = "this is no database, and it is long enough to be taken for one at first sight";
    for file in ["identity.json", "state.db", "dynamodb.db"] {
        let (_dir, message) = refused_with(&[(file, garbage)]).await;
        assert!(message.contains("local reset"), "{file}: {message}");
    }
}

#[tokio::test]
async fn a_state_of_another_version_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let endpoint_dir = dir.path().join("state.db");
    let connection = rusqlite::Connection::open(&endpoint_dir).unwrap();
    connection.pragma_update(None, "user_version", 4711).unwrap();
    drop(connection);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = local_aws::serve(listener, dir.path(), local_aws::Options::default(), std::future::pending())
        .await
        .unwrap_err();
    assert!(error.message.contains("4711"), "{error}");
}

#[tokio::test]
async fn the_files_of_the_state_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let endpoint = Endpoint::start().await;
    aws_sdk_sts::Client::new(&endpoint.sdk_config()).get_caller_identity().send().await.unwrap();
    for entry in std::fs::read_dir(endpoint.state_dir()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o077;
        assert_eq!(mode, 0, "{} is open to others", entry.path().display());
    }
}

/// Adds a header that the signature does not cover.
#[derive(Debug)]
struct Unsigned(&'static str, &'static str);

impl aws_sdk_ecs::config::Intercept for Unsigned {
    fn name(&self) -> &'static str {
        "unsigned"
    }

    fn modify_before_transmit(
        &self,
        context: &mut aws_sdk_ecs::config::interceptors::BeforeTransmitInterceptorContextMut<'_>,
        _components: &aws_sdk_ecs::config::RuntimeComponents,
        _bag: &mut aws_sdk_ecs::config::ConfigBag,
    ) -> Result<(), aws_sdk_ecs::error::BoxError> {
        context.request_mut().headers_mut().insert(self.0, self.1);
        Ok(())
    }
}

#[tokio::test]
async fn headers_of_aws_count_only_when_they_are_signed() {
    let endpoint = Endpoint::start().await;
    let ecs = aws_sdk_ecs::Client::new(&endpoint.sdk_config());
    let call = |header, value| ecs.list_clusters().customize().interceptor(Unsigned(header, value)).send();
    call("x-amzn-trace-id", "Root=1").await.unwrap();
    for (header, value) in [("x-amz-anything", "1"), ("x-amz-security-token", "x")] {
        let error = call(header, value).await.unwrap_err();
        assert!(
            ["InvalidSignatureException", "UnrecognizedClientException"].contains(&error.code().unwrap()),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn the_users_key_goes_with_no_session() {
    let endpoint = Endpoint::start().await;
    let identity = endpoint.identity();
    let config = endpoint.sdk_config_as(&identity.access_key_id, &identity.secret_access_key, Some("token"));
    let error = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidClientTokenId"));
    assert!(error.message().unwrap().contains("without AWS_SESSION_TOKEN"), "{error:?}");
}

#[tokio::test]
async fn only_names_of_loopback_pass_and_no_other_site() {
    let endpoint = Endpoint::start().await;
    let status = |host: &str, more: &str| send(&endpoint, &post(more, "").replace("HOST", host)).0;
    for host in ["localhost", "LocalHost:1", "127.0.0.1:4566", "[::1]:80"] {
        assert_eq!(status(host, ""), 404, "{host}");
    }
    for host in
        ["localhost:evil", "localhost:80@evil.example", "user@localhost", "localhost.", "localhost:80:80", "", "é"]
    {
        assert!([400, 403].contains(&status(host, "")), "{host}");
    }
    assert_eq!(status("localhost", "Sec-Fetch-Site: cross-site\r\n"), 403);
    assert_eq!(status("localhost", "Sec-Fetch-Site: same-site\r\n"), 403);
    assert_eq!(status("localhost", "Sec-Fetch-Site: none\r\n"), 404);
}

#[tokio::test]
async fn services_that_are_not_there_are_refused_by_name_in_their_own_form() {
    let endpoint = Endpoint::start().await;
    let ask = |service: &str, headers: &str| {
        let scope = format!("Credential=AKID/20260101/us-east-1/{service}/aws4_request");
        let headers = format!("Authorization: AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0\r\n{headers}");
        send(&endpoint, &post(&headers, ""))
    };
    for (service, headers, start) in [
        ("kinesis", "X-Amz-Target: Kinesis_20131202.ListStreams\r\n", "{"),
        ("sns", "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n", "<ErrorResponse"),
        ("lambda", "", "{"),
        ("s3", "", "<Error>"),
    ] {
        let (status, body) = ask(service, headers);
        assert_eq!(status, 400, "{body}");
        assert!(body.contains(&format!("The service {service} is not supported")) && body.starts_with(start), "{body}");
    }
}
