use std::fmt;

use clap::Args;
use comfy_table::{Table, presets};
use serde::Serialize;

use super::context::Context;
use crate::aws::arn::short_id;
use crate::aws::table::{self, Item};
use crate::aws::{logs, queue};
use crate::error::Result;

/// Show the items in the table, the gaps, and repeated writes
///
/// The table only knows the last time that an item was written; how often is counted in the workers' logs, since the
/// last `clear`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop items
  fis-workshop items --output json")]
pub(crate) struct ItemsArgs {
    /// Items of a complete batch, instead of those of the environment
    #[arg(long, value_name = "ITEMS", value_parser = super::numbers::batch_size(), allow_negative_numbers = true)]
    batch_size: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Items {
    table: String,
    batch_id: String,
    batch_size: u64,
    complete: bool,
    missing: Vec<u64>,
    rewritten: Vec<u64>,
    /// Items whose messages were given up.
    dead: Vec<u64>,
    items: Vec<CountedItem>,
}

#[derive(Debug, Serialize)]
struct CountedItem {
    #[serde(flatten)]
    item: Item,
    /// How often it was written.
    writes: usize,
}

/// Shows the items.
pub(crate) async fn run(context: &Context, args: ItemsArgs) -> Result<u8> {
    let connected = context.connect().await?;
    let deployed = connected.deployed().await?;
    let batch_size = args.batch_size.map_or_else(|| deployed.batch_size(), Ok)?;
    let since = table::cleared_at(&connected.clients, &deployed);
    let (items, since, dead) = tokio::try_join!(
        table::items(&connected.clients, &deployed),
        since,
        queue::dead_items(&connected.clients, &deployed),
    )?;
    let writes = logs::writes(&connected.clients, &deployed, since).await?;
    let missing = table::missing(&items, batch_size);
    // It is there, so it was written once, even if its line in the log is not readable yet.
    let writes = |item: &Item| writes.get(&item.item_index).copied().unwrap_or_default().max(1);
    let items: Vec<_> = items.into_iter().map(|item| CountedItem { writes: writes(&item), item }).collect();
    context.ui.result(&Items {
        table: deployed.table()?.to_owned(),
        batch_id: deployed.batch_id()?.to_owned(),
        batch_size,
        complete: missing.is_empty(),
        missing,
        rewritten: items.iter().filter(|item| item.writes > 1).map(|item| item.item.item_index).collect(),
        dead,
        items,
    })?;
    Ok(0)
}

impl fmt::Display for Items {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(["index", "result", "writes", "task", "written (UTC)"]);
        for item in &self.items {
            let Item { item_index, result, task_id, written_at } = &item.item;
            let (index, writes) = (item_index.to_string(), item.writes.to_string());
            table.add_row([&index, result, &writes, short_id(task_id), time_of_day(written_at)]);
        }
        writeln!(f, "{}", table.trim_fmt())?;
        let (missing, rewritten) = (ranges(&self.missing), ranges(&self.rewritten));
        writeln!(f, "{} items; missing: {missing}; written more than once: {rewritten}", self.items.len())?;
        if self.dead.is_empty() {
            return Ok(());
        }
        writeln!(f, "Given up after several tries, in the dead-letter queue: {}", ranges(&self.dead))
    }
}

/// `01:34:35` of `2026-01-01T01:34:35.048Z`; what the workers did not write stays as it is.
fn time_of_day(written_at: &str) -> &str {
    written_at.get(11..19).filter(|_| chrono::DateTime::parse_from_rfc3339(written_at).is_ok()).unwrap_or(written_at)
}

/// Indexes in their order, those that follow one another as one: `0 3..7 9`.
fn ranges(indexes: &[u64]) -> String {
    let runs = indexes.chunk_by(|index, next| index + 1 == *next).map(|run| match run {
        [one] => one.to_string(),
        [first, second] => format!("{first} {second}"),
        [first, .., last] => format!("{first}..{last}"),
        [] => String::new(),
    });
    if indexes.is_empty() { "none".to_owned() } else { runs.collect::<Vec<_>>().join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_time_the_day_is_left_out_and_other_text_is_left_alone() {
        assert_eq!(time_of_day("2026-11-26T01:34:35.048Z"), "01:34:35");
        assert_eq!(time_of_day("2026-11-26 or so, in the night"), "2026-11-26 or so, in the night");
    }

    #[test]
    fn what_follows_one_another_is_a_range() {
        for (indexes, text) in [
            (vec![], "none"),
            (vec![4], "4"),
            (vec![4, 5], "4 5"),
            (vec![0, 3, 4, 5, 9], "0 3..5 9"),
            ((10..100_000).collect(), "10..99999"),
        ] {
            assert_eq!(ranges(&indexes), text);
        }
    }
}
