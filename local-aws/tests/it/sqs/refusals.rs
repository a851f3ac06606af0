//! What is refused, in AWS's words, as botocore reads them.

use serde_json::{Value, json};

use crate::boto::Boto;
use crate::harness::Endpoint;

/// Operation, input beside the queue, code and words.
const REFUSED: &[[&str; 4]] = &[
    [
        "ReceiveMessage",
        r#"{"MaxNumberOfMessages": 11}"#,
        "InvalidParameterValue",
        "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
    ],
    [
        "ReceiveMessage",
        r#"{"WaitTimeSeconds": 21}"#,
        "InvalidParameterValue",
        "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.",
    ],
    [
        "ReceiveMessage",
        r#"{"ReceiveRequestAttemptId": "x"}"#,
        "InvalidParameterValue",
        "not valid for this queue type.",
    ],
    ["ReceiveMessage", r#"{"AttributeNames": ["Nothing"]}"#, "InvalidAttributeName", "Unknown Attribute Nothing."],
    [
        "SendMessage",
        r#"{"MessageBody": ""}"#,
        "MissingParameter",
        "The request must contain the parameter MessageBody.",
    ],
    ["SendMessage", r#"{"MessageBody": "\u0000"}"#, "InvalidMessageContents", "Invalid characters found."],
    [
        "SendMessage",
        r#"{"MessageBody": "m", "DelaySeconds": 901}"#,
        "InvalidParameterValue",
        "parameter DelaySeconds is",
    ],
    [
        "SendMessage",
        r#"{"MessageBody": "m", "MessageDeduplicationId": "d"}"#,
        "InvalidParameterValue",
        "not valid for this queue type.",
    ],
    [
        "SendMessage",
        r#"{"MessageBody": "m", "MessageAttributes": {"X": {"DataType": "String", "StringValue": ""}}}"#,
        "InvalidParameterValue",
        "Message (user) attribute 'X' must contain a non-empty value of type 'String'.",
    ],
    [
        "SendMessageBatch",
        r#"{"Entries": []}"#,
        "AWS.SimpleQueueService.EmptyBatchRequest",
        "There should be at least one SendMessageBatchRequestEntry in the request.",
    ],
    [
        "SendMessageBatch",
        r#"{"Entries": [{"Id": "a b", "MessageBody": "m"}]}"#,
        "AWS.SimpleQueueService.InvalidBatchEntryId",
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.",
    ],
    [
        "SendMessageBatch",
        r#"{"Entries": [{"Id": "a", "MessageBody": "m"}, {"Id": "a", "MessageBody": "m"}]}"#,
        "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
        "Id a repeated.",
    ],
    [
        "DeleteMessage",
        r#"{"ReceiptHandle": "X"}"#,
        "ReceiptHandleIsInvalid",
        "The input receipt handle \"X\" is not a valid receipt handle.",
    ],
    [
        "SetQueueAttributes",
        r#"{"Attributes": {"FifoQueue": "false"}}"#,
        "InvalidAttributeName",
        "Unknown Attribute FifoQueue.",
    ],
    [
        "SetQueueAttributes",
        r#"{"Attributes": {"VisibilityTimeout": "43201"}}"#,
        "InvalidAttributeValue",
        "Invalid value for the parameter VisibilityTimeout.",
    ],
    ["GetQueueAttributes", r#"{"AttributeNames": ["Nothing"]}"#, "InvalidAttributeName", "Unknown Attribute Nothing."],
    [
        "TagQueue",
        r#"{"Tags": {"aws:x": "y"}}"#,
        "InvalidParameterValue",
        "Tag keys starting with aws: are reserved for AWS.",
    ],
];

#[tokio::test]
async fn what_aws_refuses_is_refused_in_its_words() {
    let endpoint = Endpoint::start().await;
    let mut boto = Boto::start(endpoint.variables());
    let url = boto.call("sqs", "CreateQueue", &json!({"QueueName": "q"})).unwrap()["QueueUrl"].take();
    let mut check = |operation: &str, url: &Value, more: Value, code: &str, words: &str| {
        let mut input = more;
        input["QueueUrl"] = url.clone();
        let refusal = boto.call("sqs", operation, &input).unwrap_err();
        assert_eq!(refusal.code, code, "{operation}: {}", refusal.message);
        assert!(refusal.message.contains(words), "{operation}: {}", refusal.message);
    };
    for [operation, input, code, words] in REFUSED {
        check(operation, &url, serde_json::from_str(input).unwrap(), code, words);
    }
    let elsewhere = json!(url.as_str().unwrap().replace("/q", "/none"));
    let gone = "AWS.SimpleQueueService.NonExistentQueue";
    check("SendMessage", &elsewhere, json!({"MessageBody": "m"}), gone, "The specified queue does not exist.");
    let words = "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.";
    check("SendMessage", &url, json!({"MessageBody": "x".repeat(1_048_577)}), "InvalidParameterValue", words);
    let entries = |number: usize, body: &str| -> Value {
        let entries: Value = (0..number).map(|it| json!({"Id": it.to_string(), "MessageBody": body})).collect();
        json!({"Entries": entries})
    };
    let words = "Batch requests cannot be longer than 1048576 bytes. You have sent 1200000 bytes.";
    let code = "AWS.SimpleQueueService.BatchRequestTooLong";
    check("SendMessageBatch", &url, entries(2, &"x".repeat(600_000)), code, words);
    let words = "Maximum number of entries per request are 10. You have sent 20.";
    check("SendMessageBatch", &url, entries(20, "m"), "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", words);
}

#[tokio::test]
async fn what_is_not_there_is_refused_by_name() {
    let endpoint = Endpoint::start().await;
    let mut boto = Boto::start(endpoint.variables());
    let url = boto.call("sqs", "CreateQueue", &json!({"QueueName": "q"})).unwrap()["QueueUrl"].take();
    for (operation, input, code, words) in [
        ("CreateQueue", json!({"QueueName": "q.fifo"}), "AWS.SimpleQueueService.UnsupportedOperation", "A FIFO queue"),
        (
            "CreateQueue",
            json!({"QueueName": "x", "Attributes": {"FifoQueue": "true"}}),
            "AWS.SimpleQueueService.UnsupportedOperation",
            "FifoQueue",
        ),
        (
            "CreateQueue",
            json!({"QueueName": "x", "Attributes": {"KmsMasterKeyId": "k"}}),
            "AWS.SimpleQueueService.UnsupportedOperation",
            "KmsMasterKeyId",
        ),
        (
            "CreateQueue",
            json!({"QueueName": "a b"}),
            "InvalidParameterValue",
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        ),
        (
            "AddPermission",
            json!({"QueueUrl": url, "Label": "l", "AWSAccountIds": ["1"], "Actions": ["*"]}),
            "UnknownOperationException",
            "sqs:AddPermission is not supported",
        ),
        (
            "GetQueueUrl",
            json!({"QueueName": "q", "QueueOwnerAWSAccountId": "111111111111"}),
            "AWS.SimpleQueueService.NonExistentQueue",
            "does not exist",
        ),
        (
            "SendMessage",
            json!({"QueueUrl": "q", "MessageBody": "m"}),
            "InvalidAddress",
            "The address q is not valid for this endpoint.",
        ),
        (
            "StartMessageMoveTask",
            json!({"SourceArn": "arn:aws:sqs:us-east-1:000000000000:none"}),
            "ResourceNotFoundException",
            "The resource that you specified for the SourceArn parameter doesn't exist.",
        ),
    ] {
        let refusal = boto.call("sqs", operation, &input).unwrap_err();
        assert_eq!(refusal.code, code, "{operation}: {}", refusal.message);
        assert!(refusal.message.contains(words), "{operation}: {}", refusal.message);
    }
}

#[tokio::test]
async fn a_batch_is_done_entry_by_entry() {
    let endpoint = Endpoint::start().await;
    let mut boto = Boto::start(endpoint.variables());
    let url = boto.call("sqs", "CreateQueue", &json!({"QueueName": "q"})).unwrap()["QueueUrl"].take();
    let entries = json!([{"Id": "good", "MessageBody": "m"}, {"Id": "bad", "MessageBody": "m", "DelaySeconds": 901}]);
    let answer = boto.call("sqs", "SendMessageBatch", &json!({"QueueUrl": url, "Entries": entries})).unwrap();
    assert_eq!(answer["Successful"][0]["Id"], "good");
    let failed = &answer["Failed"][0];
    assert_eq!((&failed["Id"], &failed["Code"]), (&json!("bad"), &json!("InvalidParameterValue")));
    assert_eq!(failed["SenderFault"], true);
    let received = boto.call("sqs", "ReceiveMessage", &json!({"QueueUrl": url, "MaxNumberOfMessages": 10})).unwrap();
    let messages = received["Messages"].as_array().unwrap();
    assert_eq!(messages.len(), 1);
    let entries =
        json!([{"Id": "a", "ReceiptHandle": messages[0]["ReceiptHandle"]}, {"Id": "b", "ReceiptHandle": "X"}]);
    let answer = boto.call("sqs", "DeleteMessageBatch", &json!({"QueueUrl": url, "Entries": entries})).unwrap();
    assert_eq!(answer["Successful"], json!([{"Id": "a"}]));
    assert_eq!(answer["Failed"][0]["Code"], "ReceiptHandleIsInvalid");
}

/// What clients of before 2023 speak.
#[tokio::test]
async fn the_older_protocol_is_refused_by_name() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let endpoint = Endpoint::start().await;
    let address = endpoint.url().replace("http://", "");
    for path in ["/", "/000000000000/q"] {
        let mut connection = tokio::net::TcpStream::connect(&address).await.unwrap();
        let body = "Action=ListQueues&Version=2012-11-05";
        let scope =
            "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0";
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: {scope}\r\nconnection: close\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        let words = "The protocol of this request to the service sqs is not supported by the local endpoint";
        assert!(answer.contains(words) && answer.contains("<Code>UnsupportedOperation</Code>"), "{answer}");
    }
}
