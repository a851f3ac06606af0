//! Tags that others put on the lab's stacks.

use serde_json::json;

use super::Terminal;
use crate::harness::Sandbox;

/// An organisation that tags every stack: no reason to change it, and no change takes them away.
#[test]
fn the_tags_of_others_stay() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    let aws = Terminal::of(&sandbox);
    let parameters = aws.ok("aws cloudformation describe-stacks --stack-name FisStopTaskStack \
                             --query 'Stacks[0].Parameters[].ParameterKey' --output text");
    let kept = parameters.split_whitespace().map(|key| format!("ParameterKey={key},UsePreviousValue=true"));
    aws.ok(&format!(
        "aws cloudformation update-stack --stack-name FisStopTaskStack --use-previous-template \
         --capabilities CAPABILITY_IAM --parameters {} \
         --tags Key=fis-workshop:environment,Value=default Key=cost-centre,Value=42",
        kept.collect::<Vec<_>>().join(" ")
    ));
    aws.ok("aws cloudformation wait stack-update-complete --stack-name FisStopTaskStack");
    let tag = || {
        aws.ok("aws cloudformation describe-stacks --stack-name FisStopTaskStack \
                --query \"Stacks[0].Tags[?Key=='cost-centre'].Value\" --output text")
    };
    assert_eq!(sandbox.json(&["up"])["changed"], json!(false));
    assert_eq!(tag(), "42\n");
    sandbox.ok(&["regenerate"]);
    assert_eq!(tag(), "42\n");
}
