//! What `queue` costs beside the requests that it cannot do without, and what more tasks bring. Measurements, no checks:
//! `cargo test -p fis-workshop-worker --test worker -- --ignored --nocapture throughput`

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;

use crate::lab::{Lab, Run, TABLE};

fn tasks(count: usize, items: u64, seconds: &str) -> Duration {
    let lab = Lab::new();
    lab.shared.sqs.seed("batch", 0..items);
    lab.shared.sqs.set(300, 1000);
    let begin = Instant::now();
    let start = |_| Run::start(lab.queue().env("BATCH_SIZE", items.to_string()).env("ITEM_SECONDS", seconds));
    let runs: Vec<_> = (0..count).map(start).collect();
    // Each of them has its time, however long all of them take.
    for item in 1..=items as usize {
        lab.wait_for_request("DeleteMessage", item);
    }
    let took = begin.elapsed();
    for run in runs {
        run.kill();
    }
    lab.assert_complete("batch", items);
    took
}

/// The same requests without anything around them.
fn bare_loop(items: u64) -> Duration {
    let lab = Lab::new();
    lab.shared.sqs.seed("batch", 0..items);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let http = aws_smithy_http_client::Builder::new().build_http();
        let config = aws_config::defaults(aws_config::BehaviorVersion::latest())
            .http_client(http)
            .endpoint_url(lab.address())
            .region("eu-west-1")
            .credentials_provider(aws_credential_types::Credentials::new("AKIDEXAMPLE", "secret", None, None, "test"))
            .load()
            .await;
        let (sqs, dynamodb) = (aws_sdk_sqs::Client::new(&config), aws_sdk_dynamodb::Client::new(&config));
        let begin = Instant::now();
        for index in 0..items {
            let url = "http://127.0.0.1/123456789012/items";
            let answer = sqs.receive_message().queue_url(url).wait_time_seconds(1).send().await.unwrap();
            let put = dynamodb.put_item().table_name(TABLE).item("BatchId", AttributeValue::S("batch".to_owned()));
            put.item("ItemIndex", AttributeValue::N(index.to_string())).send().await.unwrap();
            let receipt = answer.messages()[0].receipt_handle().unwrap();
            sqs.delete_message().queue_url(url).receipt_handle(receipt).send().await.unwrap();
        }
        begin.elapsed()
    })
}

#[test]
#[ignore = "a measurement"]
fn throughput_of_one_task() {
    let (bare, one) = (bare_loop(500), tasks(1, 500, "0"));
    println!("500 items: bare loop {bare:?}, queue {one:?}: {:.2}", bare.as_secs_f64() / one.as_secs_f64());
}

#[test]
#[ignore = "a measurement"]
fn throughput_of_eight_tasks() {
    let (one, eight) = (tasks(1, 1000, "0.01"), tasks(8, 1000, "0.01"));
    println!("1000 items of 10 ms: one {one:?}, eight {eight:?}: {:.2}", one.as_secs_f64() / eight.as_secs_f64());
}
