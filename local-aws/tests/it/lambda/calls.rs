//! What functions are shown as, and what is refused.

use serde_json::{Value, json};

use super::stage::{ARCHITECTURE, FOREIGN_ROLE, IMAGE, ROLE, SMALL_ROLE, Stage, creation};
use crate::harness::Endpoint;

async fn start() -> (Endpoint, Stage) {
    let endpoint = Endpoint::start().await;
    let stage = Stage::new(&endpoint.sdk_config(), endpoint.variables()).await;
    (endpoint, stage)
}

const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

#[tokio::test]
async fn a_function_is_shown_with_aws_defaults() {
    let (_endpoint, stage) = start().await;
    let made = stage.function("f", json!({"Tags": {"k": "v"}}));
    assert_eq!((&made["State"], &made["FunctionArn"]), (&json!("Pending"), &json!(ARN)));
    let mut shown = stage.lambda("GetFunctionConfiguration", json!({"FunctionName": "f"}));
    for member in ["LastModified", "RevisionId", "CodeSha256"] {
        assert!(shown[member].take().is_string(), "{member}");
    }
    let expected = json!({
        "FunctionName": "f", "FunctionArn": ARN, "Role": ROLE, "CodeSize": 0, "Description": "", "Timeout": 3,
        "MemorySize": 128, "LastModified": null, "CodeSha256": null, "Version": "$LATEST",
        "TracingConfig": {"Mode": "PassThrough"}, "RevisionId": null, "State": "Active",
        "LastUpdateStatus": "Successful", "PackageType": "Image", "Architectures": [ARCHITECTURE],
        "EphemeralStorage": {"Size": 512}, "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/f"},
    });
    assert_eq!(shown, expected);
    let whole = stage.lambda("GetFunction", json!({"FunctionName": "f"}));
    assert_eq!((&whole["Code"]["ImageUri"], &whole["Code"]["RepositoryType"]), (&json!(IMAGE), &json!("ECR")));
    let resolved = whole["Code"]["ResolvedImageUri"].as_str().unwrap();
    assert!(resolved.starts_with(&IMAGE.replace(":1", "@sha256:")), "{resolved}");
    assert_eq!(whole["Tags"], json!({"k": "v"}));
    assert_eq!(whole["Configuration"]["FunctionArn"], ARN);
}

#[tokio::test]
async fn what_cannot_be_made_is_refused() {
    let (_endpoint, stage) = start().await;
    stage.function("f", json!({}));
    let image = |uri: &str| json!({"Code": {"ImageUri": uri}});
    let big = "x".repeat(4100);
    for (name, more, code, words) in [
        ("f", json!({}), "ResourceConflictException", "Function already exist: f"),
        ("g", json!({"Role": FOREIGN_ROLE}), "InvalidParameterValueException", "cannot be assumed by Lambda"),
        ("g", json!({"Role": ROLE.replace("function", "none")}), "InvalidParameterValueException", "cannot be assumed"),
        ("g", image(&IMAGE.replace(":1", ":9")), "InvalidParameterValueException", "does not exist"),
        ("g", image("busybox:1"), "InvalidParameterValueException", "is not valid"),
        ("g", json!({"PackageType": "Zip", "Code": {"S3Bucket": "b", "S3Key": "k"}}), "UnsupportedOperation", "Zip"),
        (
            "g",
            json!({"Runtime": "python3.13"}),
            "InvalidParameterValueException",
            "Please don't provide Handler or Runtime",
        ),
        ("g", json!({"Timeout": 0}), "ValidationException", "greater than or equal to 1"),
        ("g", json!({"Timeout": 1801}), "ValidationException", "less than or equal to 1800"),
        ("g", json!({"MemorySize": 64}), "ValidationException", "greater than or equal to 128"),
        (
            "g",
            json!({"Environment": {"Variables": {"AWS_REGION": "x"}}}),
            "InvalidParameterValueException",
            "AWS_REGION",
        ),
        ("g", json!({"Environment": {"Variables": {"BIG": big}}}), "InvalidParameterValueException", "4KB limit"),
        ("g", json!({"VpcConfig": {"SubnetIds": ["subnet-1"]}}), "UnsupportedOperation", "VpcConfig"),
        ("g", json!({"LoggingConfig": {"LogFormat": "JSON"}}), "UnsupportedOperation", "The log format JSON"),
        (
            "g",
            json!({"DeadLetterConfig": {"TargetArn": "arn:aws:sns:us-east-1:000000000000:t"}}),
            "UnsupportedOperation",
            "sns",
        ),
        (
            "g",
            json!({"Role": SMALL_ROLE, "DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:000000000000:q"}}),
            "InvalidParameterValueException",
            "does not have permissions to call SendMessage on SQS",
        ),
        ("a b", json!({}), "ValidationException", "functionName"),
    ] {
        let refusal = stage.refused("CreateFunction", creation(name, more.clone()));
        assert!(refusal.code == code && refusal.message.contains(words), "{more}: {refusal:?}");
    }
    for operation in
        ["GetFunction", "GetFunctionConfiguration", "DeleteFunction", "GetPolicy", "GetFunctionConcurrency"]
    {
        let refusal = stage.refused(operation, json!({"FunctionName": "none"}));
        assert_eq!(refusal.code, "ResourceNotFoundException", "{operation}");
        assert_eq!(refusal.message, "Function not found: arn:aws:lambda:us-east-1:000000000000:function:none");
    }
    let refusal = stage.refused("PublishVersion", json!({"FunctionName": "f"}));
    assert!(refusal.message.contains("lambda:PublishVersion"), "{refusal:?}");
    let old = json!({"FunctionName": "f", "Timeout": 4, "RevisionId": "other"});
    assert_eq!(stage.refused("UpdateFunctionConfiguration", old).code, "PreconditionFailedException");
}

#[tokio::test]
async fn a_policy_is_made_of_permissions() {
    let (_endpoint, stage) = start().await;
    stage.function("f", json!({}));
    assert_eq!(
        stage.refused("GetPolicy", json!({"FunctionName": "f"})).message,
        "The resource you requested does not exist."
    );
    let rule = "arn:aws:events:us-east-1:000000000000:rule/r";
    let permission = json!({
        "FunctionName": "f", "StatementId": "events", "Action": "lambda:InvokeFunction",
        "Principal": "events.amazonaws.com", "SourceArn": rule,
    });
    let added = stage.lambda("AddPermission", permission.clone());
    let statement: Value = serde_json::from_str(added["Statement"].as_str().unwrap()).unwrap();
    let expected = json!({
        "Sid": "events", "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
        "Action": "lambda:InvokeFunction", "Resource": ARN, "Condition": {"ArnLike": {"AWS:SourceArn": rule}},
    });
    assert_eq!(statement, expected);
    let policy = stage.lambda("GetPolicy", json!({"FunctionName": "f"}));
    let policy: Value = serde_json::from_str(policy["Policy"].as_str().unwrap()).unwrap();
    assert_eq!(policy, json!({"Version": "2012-10-17", "Id": "default", "Statement": [expected]}));
    let again = stage.refused("AddPermission", permission);
    assert_eq!(again.code, "ResourceConflictException");
    assert!(again.message.starts_with("The statement id (events) provided already exists."), "{again:?}");
    stage.lambda("RemovePermission", json!({"FunctionName": "f", "StatementId": "events"}));
    let gone = stage.refused("RemovePermission", json!({"FunctionName": "f", "StatementId": "events"}));
    assert_eq!(gone.code, "ResourceNotFoundException");
}

#[tokio::test]
async fn a_role_needs_permission_from_its_policies_or_from_the_function() {
    let (endpoint, stage) = start().await;
    stage.function("f", json!({}));
    let caller = "arn:aws:iam::000000000000:role/caller";
    let assumed = stage.call("sts", "AssumeRole", &json!({"RoleArn": caller, "RoleSessionName": "session"}));
    let credentials = &assumed["Credentials"];
    let text = |member: &str| credentials[member].as_str().unwrap().to_owned();
    let role = Stage::open(vec![
        ("AWS_ENDPOINT_URL", endpoint.url()),
        ("AWS_ACCESS_KEY_ID", text("AccessKeyId")),
        ("AWS_SECRET_ACCESS_KEY", text("SecretAccessKey")),
        ("AWS_SESSION_TOKEN", text("SessionToken")),
        ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
    ]);
    let refusal = role.refused("Invoke", json!({"FunctionName": "f"}));
    assert_eq!(refusal.code, "AccessDeniedException");
    let words = format!("is not authorized to perform: lambda:InvokeFunction on resource: {ARN}");
    assert!(refusal.message.contains(&words), "{refusal:?}");
    let permission = json!({
        "FunctionName": "f", "StatementId": "caller", "Action": "lambda:InvokeFunction", "Principal": caller,
    });
    stage.lambda("AddPermission", permission);
    assert_eq!(role.invoke("f", &json!({})).error(), None);
    let made = role.refused("CreateFunction", creation("g", json!({})));
    assert!(made.message.contains("lambda:CreateFunction"), "{made:?}");
}

#[tokio::test]
async fn concurrency_and_what_becomes_of_events_are_settings() {
    let (_endpoint, stage) = start().await;
    stage.function("f", json!({}));
    assert_eq!(stage.lambda("GetFunctionConcurrency", json!({"FunctionName": "f"})), json!({}));
    let put = |reserved: i64| json!({"FunctionName": "f", "ReservedConcurrentExecutions": reserved});
    stage.lambda("PutFunctionConcurrency", put(900));
    let limits = stage.lambda("GetAccountSettings", json!({}))["AccountLimit"].take();
    assert_eq!(
        (&limits["ConcurrentExecutions"], &limits["UnreservedConcurrentExecutions"]),
        (&json!(1000), &json!(100))
    );
    let refusal = stage.refused("PutFunctionConcurrency", put(901));
    assert!(refusal.message.contains("below its minimum value of [100]"), "{refusal:?}");
    let none = stage.refused("GetFunctionEventInvokeConfig", json!({"FunctionName": "f"}));
    assert_eq!(none.message, format!("The function {ARN}:$LATEST doesn't have an EventInvokeConfig"));
    let update = json!({"FunctionName": "f", "MaximumEventAgeInSeconds": 60});
    assert_eq!(stage.refused("UpdateFunctionEventInvokeConfig", update.clone()).code, "ResourceNotFoundException");
    stage.lambda("PutFunctionEventInvokeConfig", json!({"FunctionName": "f", "MaximumRetryAttempts": 1}));
    let shown = stage.lambda("UpdateFunctionEventInvokeConfig", update);
    assert_eq!((&shown["MaximumRetryAttempts"], &shown["MaximumEventAgeInSeconds"]), (&json!(1), &json!(60)));
    assert_eq!(shown["FunctionArn"], format!("{ARN}:$LATEST"));
    assert_eq!(shown["DestinationConfig"], json!({"OnSuccess": {}, "OnFailure": {}}));
    let wrong = json!({"FunctionName": "f", "MaximumRetryAttempts": 3});
    assert_eq!(stage.refused("PutFunctionEventInvokeConfig", wrong).code, "ValidationException");
}
