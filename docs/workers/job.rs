//! The lab's batch job in Rust: goes on where it stopped, and does nothing twice.

#![allow(clippy::print_stdout, reason = "what a task prints is its log")]

use std::env;
use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::primitives::{DateTime, DateTimeFormat};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

struct Job {
    dynamodb: Client,
    table: String,
    batch: AttributeValue,
    task: AttributeValue,
}

fn variable<T: std::str::FromStr>(name: &str, default: T) -> T {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Which task this is; ECS says it at an address of its own.
fn task_id() -> Result<String> {
    let address = env::var("ECS_CONTAINER_METADATA_URI_V4")?;
    let (host, path) = address.trim_start_matches("http://").split_once('/').ok_or("no path")?;
    let mut connection = TcpStream::connect(if host.contains(':') { host.into() } else { format!("{host}:80") })?;
    write!(connection, "GET /{path}/task HTTP/1.0\r\nHost: {host}\r\n\r\n")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    let (_, document) = answer.split_once("\r\n\r\n").ok_or("no document")?;
    let document: serde_json::Value = serde_json::from_str(document)?;
    let arn = document["TaskARN"].as_str().ok_or("no TaskARN")?;
    Ok(arn.rsplit('/').next().unwrap_or(arn).to_owned())
}

/// The work: how many primes there are in the stretch of ten thousand numbers that the item stands for.
fn primes(index: u64) -> usize {
    let is_prime = |n: &u64| *n > 1 && (2..).take_while(|d| d * d <= *n).all(|d| !n.is_multiple_of(d));
    (index * 10_000..(index + 1) * 10_000).filter(is_prime).count()
}

impl Job {
    /// The first index that is not written: one after the highest, by a read that sees every write.
    async fn continue_at(&self) -> Result<u64> {
        let answer = self
            .dynamodb
            .query()
            .table_name(&self.table)
            .key_condition_expression("BatchId = :batch")
            .expression_attribute_values(":batch", self.batch.clone())
            .scan_index_forward(false)
            .limit(1)
            .consistent_read(true)
            .send()
            .await?;
        let Some(highest) = answer.items().first() else { return Ok(0) };
        let index = highest["ItemIndex"].as_n().map_err(|_| "an index that is no number")?;
        Ok(index.parse::<u64>()? + 1)
    }

    /// Writes the item if nobody has written it: so two copies of this program cannot undo one another's work.
    async fn put_once(&self, index: u64, result: usize) -> Result<()> {
        let now = DateTime::from(SystemTime::now()).fmt(DateTimeFormat::DateTime)?;
        let put = self
            .dynamodb
            .put_item()
            .table_name(&self.table)
            .item("BatchId", self.batch.clone())
            .item("ItemIndex", AttributeValue::N(index.to_string()))
            .item("Result", AttributeValue::S(result.to_string()))
            .item("TaskId", self.task.clone())
            .item("WrittenAt", AttributeValue::S(now))
            .condition_expression("attribute_not_exists(BatchId)");
        match put.send().await.map_err(aws_sdk_dynamodb::Error::from) {
            Ok(_) => Ok(()),
            Err(aws_sdk_dynamodb::Error::ConditionalCheckFailedException(_)) => {
                Err(format!("Item {index} is there already: another task owns the batch").into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let config = aws_config::defaults(aws_config::BehaviorVersion::latest()).http_client(http).load().await;
    let job = Job {
        dynamodb: Client::new(&config),
        table: env::var("TABLE_NAME")?,
        batch: AttributeValue::S(variable("BATCH_ID", "batch".to_owned())),
        task: AttributeValue::S(task_id()?),
    };
    let (size, seconds) = (variable("BATCH_SIZE", 10), variable("ITEM_SECONDS", 30.0));
    let start = job.continue_at().await?;
    println!("{} at {start}", if start > 0 { "Continuing" } else { "Starting" });
    for index in start..size {
        let result = primes(index);
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        job.put_once(index, result).await?;
        println!("Successfully PUT item {index} out of {size} into DDB");
    }
    Ok(())
}
