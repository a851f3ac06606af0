//! What `down` finds when something was left behind its back.

use serde_json::json;

use crate::harness::Sandbox;

#[test]
fn nothing_survives_a_complete_down() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    sandbox.ok(&["up", "--env", "team"]);
    let down = sandbox.json(&["down"]);
    assert_eq!(down["survivors"], json!([]));
    assert_eq!(down["remaining_environments"], json!(["team"]));
    assert_eq!(sandbox.json(&["down", "--all"])["survivors"], json!([]));
}
