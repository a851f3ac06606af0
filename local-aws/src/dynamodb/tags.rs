//! Tables by their tags.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::engine::run;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::Tagged;
use crate::store::Tx;

/// Every tagged table.
pub(super) fn tagged(endpoint: &Endpoint, _tx: &Tx<'_>) -> Result<Vec<Tagged>, ApiError> {
    let mut tagged = Vec::new();
    for table in table_names(endpoint)? {
        let arn = endpoint.arn("dynamodb", &format!("table/{table}"));
        let tags = tags(endpoint, &arn)?;
        if !tags.is_empty() {
            tagged.push(Tagged { arn, tags });
        }
    }
    Ok(tagged)
}

/// By ListTables, which needs no table's data: a deletion that a kill has cut off may have dropped that already.
fn table_names(endpoint: &Endpoint) -> Result<Vec<String>, ApiError> {
    let mut names: Vec<String> = Vec::new();
    loop {
        let start = names.last().map_or_else(|| json!({}), |last| json!({"ExclusiveStartTableName": last}));
        let page = run(endpoint, "ListTables", &start)?;
        names.extend(page["TableNames"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
        if page["LastEvaluatedTableName"].is_null() {
            return Ok(names);
        }
    }
}

/// The tags of a table.
pub(crate) fn tags(endpoint: &Endpoint, table_arn: &str) -> Result<BTreeMap<String, String>, ApiError> {
    let output = run(endpoint, "ListTagsOfResource", &json!({"ResourceArn": table_arn}))?;
    let tags = output["Tags"].as_array().into_iter().flatten();
    Ok(tags.filter_map(|tag| Some((tag["Key"].as_str()?.to_owned(), tag["Value"].as_str()?.to_owned()))).collect())
}
