use std::fmt;

use clap::Args;
use comfy_table::{Table, presets};
use serde::Serialize;

use super::Context;
use crate::aws::table::{self, Item};
use crate::error::Result;

/// Show the items in the table, and what is missing
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop items
  fis-workshop items --output json")]
pub struct ItemsArgs {
    /// Items of a complete batch, instead of those of the environment
    #[arg(long, value_name = "ITEMS", value_parser = super::batch_size(), allow_negative_numbers = true)]
    batch_size: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Items {
    table: String,
    batch_id: String,
    batch_size: u64,
    complete: bool,
    missing: Vec<u64>,
    items: Vec<Item>,
}

/// Shows the items.
///
/// # Errors
/// When the environment is not set up.
pub async fn run(context: &Context, args: ItemsArgs) -> Result<u8> {
    let connected = context.connect().await?;
    let deployed = connected.deployed().await?;
    let batch_size = args.batch_size.map_or_else(|| deployed.batch_size(), Ok)?;
    let items = table::items(&connected.clients, &deployed).await?;
    let missing = table::missing(&items, batch_size);
    context.ui.result(&Items {
        table: deployed.table()?.to_owned(),
        batch_id: deployed.batch_id()?.to_owned(),
        batch_size,
        complete: missing.is_empty(),
        missing,
        items,
    })?;
    Ok(0)
}

impl fmt::Display for Items {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(["index", "result", "task", "written at"]);
        for item in &self.items {
            let Item { item_index, result, task_id, written_at } = item;
            table.add_row([&item_index.to_string(), result, task_id, written_at]);
        }
        writeln!(f, "{table}")?;
        match self.missing.as_slice() {
            [] => writeln!(f, "{} items, none missing", self.items.len()),
            missing => {
                let indexes: Vec<_> = missing.iter().map(ToString::to_string).collect();
                writeln!(f, "{} items, missing: {}", self.items.len(), indexes.join(" "))
            }
        }
    }
}
