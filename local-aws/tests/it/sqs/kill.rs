//! The endpoint may be killed at any moment: what it has taken is there afterwards, and what it has said is so.

use std::collections::BTreeSet;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::ecs_kill::{Victim, config, free_port};
use crate::harness::Seed;

#[tokio::test]
async fn sigkill_loses_no_message_that_was_taken_and_brings_none_back_that_was_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let mut victim = Victim::start(dir.path(), free_port()).await;
    let sqs = Client::new(&config(dir.path(), victim.port));
    let url = sqs.create_queue().queue_name("q").send().await.unwrap().queue_url.unwrap();
    let (seed, mut acknowledged, mut deleted) = (Seed::new(), BTreeSet::new(), BTreeSet::new());
    let mut moments = StdRng::seed_from_u64(seed.0);
    for round in 0..6 {
        // Without retries: what was not acknowledged may be there or not, but once.
        let config = config(dir.path(), victim.port);
        let once = aws_sdk_sqs::config::Builder::from(&config);
        let once = once.retry_config(aws_config::retry::RetryConfig::disabled()).build();
        let sqs = Client::from_conf(once);
        let (to, moment) = (url.clone(), Duration::from_millis(moments.random_range(30..300)));
        let work = tokio::spawn(async move {
            let (mut sent, mut deleted) = (Vec::new(), Vec::new());
            for number in 0.. {
                let body = format!("{round}-{number}");
                if sqs.send_message().queue_url(&to).message_body(&body).send().await.is_err() {
                    break;
                }
                sent.push(body);
                if number % 3 != 0 {
                    continue;
                }
                let received = sqs.receive_message().queue_url(&to).visibility_timeout(0).send().await;
                let Some(message) = received.ok().and_then(|it| it.messages?.pop()) else { break };
                let delete = sqs.delete_message().queue_url(&to).receipt_handle(message.receipt_handle().unwrap());
                if delete.send().await.is_err() {
                    // Deleted or not, nobody was told.
                    deleted.push(format!("?{}", body_of(&message)));
                    break;
                }
                deleted.push(body_of(&message));
            }
            (sent, deleted)
        });
        tokio::time::sleep(moment).await;
        victim = victim.kill_and_restart(dir.path()).await;
        let (sent, gone) = work.await.unwrap();
        acknowledged.extend(sent);
        deleted.extend(gone);
    }
    let mut found = BTreeSet::new();
    loop {
        let messages = receive(&sqs, &url, 600).await;
        if messages.is_empty() {
            break;
        }
        assert!(messages.iter().all(|message| found.insert(body_of(message))), "none comes twice: {messages:?}");
    }
    assert!(!acknowledged.is_empty(), "the kills came too early");
    let is_deleted = |body: &String| deleted.contains(body);
    let may_be = |body: &String| deleted.contains(&format!("?{body}"));
    let lost: Vec<_> =
        acknowledged.iter().filter(|it| !found.contains(*it) && !is_deleted(it) && !may_be(it)).collect();
    assert!(lost.is_empty(), "{lost:?}");
    let back: Vec<_> = found.iter().filter(|it| is_deleted(it)).collect();
    assert!(back.is_empty(), "{back:?}");
}

fn body_of(message: &Message) -> String {
    body(message).to_owned()
}
