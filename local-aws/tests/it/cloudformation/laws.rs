//! What holds for every template, and for every moment at which the endpoint is ended.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

/// Tables with dependencies on earlier ones only; `fails` has a name that is taken.
fn graph(needs: &[Vec<usize>], fails: Option<usize>) -> String {
    let resources: String = needs
        .iter()
        .enumerate()
        .map(|(n, needs)| {
            let depends: Vec<String> = needs.iter().map(|need| format!("T{need}")).collect();
            let name = if fails == Some(n) { "      TableName: taken\n" } else { "" };
            table(&format!("T{n}"), &format!("{name}    DependsOn: [{}]", depends.join(", ")))
        })
        .collect();
    template(&resources, "")
}

fn graphs() -> impl Strategy<Value = (Vec<Vec<usize>>, Option<usize>)> {
    (1_usize..9).prop_flat_map(|size| {
        let needs: Vec<_> = (0..size)
            .map(|n| if n == 0 { Just(Vec::new()).boxed() } else { prop::collection::vec(0..n, 0..3).boxed() })
            .collect();
        (needs, prop::option::of(0..size))
    })
}

#[test]
fn any_template_is_made_in_order_and_rolled_back_to_nothing() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (endpoint, client) = runtime.block_on(start());
    runtime.block_on(created(&client, "Owner", &template(&table("Table", "      TableName: taken"), "")));
    let number = std::cell::Cell::new(0);
    let config = Config { cases: 40, ..Config::with_source_file(file!()) };
    TestRunner::new(config)
        .run(&graphs(), |(mut needs, fails)| {
            needs.iter_mut().for_each(|it| {
                it.sort_unstable();
                it.dedup();
            });
            number.set(number.get() + 1);
            runtime.block_on(check(&endpoint, &client, &format!("S{}", number.get()), &needs, fails));
            Ok(())
        })
        .unwrap();
    runtime.block_on(endpoint.stop());
}

async fn check(endpoint: &Endpoint, client: &Client, name: &str, needs: &[Vec<usize>], fails: Option<usize>) {
    let id = create(client, name, &graph(needs, fails)).await;
    let stack = settled(client, &id).await;
    let expected = if fails.is_some() { "ROLLBACK_COMPLETE" } else { "CREATE_COMPLETE" };
    assert_eq!(status(&stack), expected);
    client.delete_stack().stack_name(&id).send().await.unwrap();
    assert_eq!(status(&settled(client, &id).await), "DELETE_COMPLETE");
    assert_eq!(tables(endpoint).await, ["taken"]);
    let story = story(client, &id).await;
    let mut at: BTreeMap<String, usize> = BTreeMap::new();
    for (position, line) in story.iter().enumerate() {
        let event = line.split(" [").next().unwrap().to_owned();
        at.entry(event).or_insert(position);
    }
    for (n, needs) in needs.iter().enumerate() {
        for need in needs {
            if let Some(begun) = at.get(&format!("T{n} CREATE_IN_PROGRESS")) {
                assert!(at[&format!("T{need} CREATE_COMPLETE")] < *begun, "{story:#?}");
            }
            if let Some(going) = at.get(&format!("T{need} DELETE_IN_PROGRESS")) {
                let gone = at.get(&format!("T{n} DELETE_COMPLETE"));
                assert!(gone.is_none_or(|gone| gone < going), "{story:#?}");
            }
        }
    }
}

#[tokio::test]
async fn an_operation_that_is_cut_off_is_taken_up_again() {
    for pause in [0, 1, 3, 7, 15] {
        let (endpoint, client) = start().await;
        let chain: Vec<Vec<usize>> = (0..20).map(|n: usize| n.checked_sub(2).into_iter().collect()).collect();
        begun(&client, "Cut", client.create_stack().stack_name("Cut").template_body(graph(&chain, None)).send()).await;
        let id = describe(&client, "Cut").await.unwrap().stack_id.unwrap();
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let endpoint = endpoint.restart().await;
        let client = Client::new(&endpoint.sdk_config());
        let stack = settled(&client, &id).await;
        assert_eq!(status(&stack), "CREATE_COMPLETE", "{:#?}", story(&client, &id).await);
        assert_eq!(tables(&endpoint).await.len(), 20);
        begun(&client, &id, client.delete_stack().stack_name(&id).send()).await;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let endpoint = endpoint.restart().await;
        let client = Client::new(&endpoint.sdk_config());
        assert_eq!(status(&settled(&client, &id).await), "DELETE_COMPLETE");
        assert!(tables(&endpoint).await.is_empty());
    }
}

#[tokio::test]
async fn an_update_that_is_cut_off_ends_as_it_would_have() {
    for (pause, fails) in [(0, false), (1, true), (3, false), (5, true), (10, false), (10, true), (20, true)] {
        let (endpoint, client) = start().await;
        created(&client, "Owner", &template(&table("Table", "      TableName: taken"), "")).await;
        let chain = |key: &str, more: &str| {
            let resources: String = (0..15)
                .map(|n| {
                    let depends = if n == 0 { String::new() } else { format!("    DependsOn: T{}", n - 1) };
                    table(&format!("T{n}"), &depends).replace("Id,", &format!("{key},"))
                })
                .collect();
            template(&(resources + more), "")
        };
        created(&client, "Cut", &chain("Id", "")).await;
        let before = resources(&client, "Cut").await;
        let last = if fails { table("Fails", "      TableName: taken\n    DependsOn: T14") } else { String::new() };
        begun(&client, "Cut", client.update_stack().stack_name("Cut").template_body(chain("Other", &last)).send())
            .await;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let endpoint = endpoint.restart().await;
        let client = Client::new(&endpoint.sdk_config());
        let stack = settled(&client, "Cut").await;
        let after = resources(&client, "Cut").await;
        if fails {
            assert_eq!(status(&stack), "UPDATE_ROLLBACK_COMPLETE", "{:#?}", story(&client, "Cut").await);
            assert_eq!(after, before);
        } else {
            assert_eq!(status(&stack), "UPDATE_COMPLETE", "{:#?}", story(&client, "Cut").await);
            assert!(after.iter().all(|(logical_id, id)| before[logical_id] != *id));
        }
        let mut expected: Vec<String> = after.into_values().chain(["taken".to_owned()]).collect();
        expected.sort();
        assert_eq!(tables(&endpoint).await, expected);
    }
}

#[tokio::test]
async fn a_creation_that_is_under_way_can_be_deleted() {
    let (endpoint, client) = start().await;
    let chain: Vec<Vec<usize>> = (0..60).map(|n: usize| n.checked_sub(1).into_iter().collect()).collect();
    begun(&client, "Early", client.create_stack().stack_name("Early").template_body(graph(&chain, None)).send()).await;
    let id = describe(&client, "Early").await.unwrap().stack_id.unwrap();
    client.delete_stack().stack_name(&id).send().await.unwrap();
    assert_eq!(status(&settled(&client, &id).await), "DELETE_COMPLETE");
    assert!(tables(&endpoint).await.is_empty());
}
