//! EventBridge: the default bus, its rules, and the way of an event from the service that sends it to a target.
//!
//! - `pattern`, `schedule`, `transform`: what a rule waits for, when it is due, and what its target gets
//! - `bus`, `rule`, `target`, `tag`: what there is; `rules`, `targets`, `tags`, `put_events`: the calls
//! - `courier`: takes events around: `route`, from the outbox (and the clock) to deliveries; `delivery`, one on its way;
//!   `attempt`, to the target; `run_task`, when that is a cluster; `failure`, `retry`: when it is not there
//! - `permission`: what a role must be allowed for a call
//!
//! # Time
//! A schedule goes by the clock of the wall, also when the endpoint's latencies are AWS's divided by a speed: a minute in
//! a rule is a minute, as it is for the tasks' own programs. A rate counts from when its rule was made, changed or enabled.
//! What becomes due while no endpoint is there is not made up for.

mod attempt;
pub(crate) mod bus;
mod courier;
mod delivery;
mod failure;
mod page;
mod pattern;
mod permission;
mod put_events;
mod refusal;
mod retry;
mod route;
pub(crate) mod rule;
mod rules;
mod run_task;
mod schedule;
mod tag;
mod tags;
pub(crate) mod target;
mod targets;
mod transform;

use crate::service::{Operation, Service};
use crate::wire;

pub(crate) static SERVICE: Service = Service {
    needs: permission::needs,
    resume: courier::resume,
    tagged: tags::tagged,
    ..Service::new(
        "EventBridge",
        wire::Service::json("events", "1.1", &["AWSEvents"]),
        refusal::INVALID,
        &[
            Operation::now("DeleteRule", |call| rules::delete_rule(&call.endpoint, &call.decode()?)),
            Operation::now("DescribeEventBus", |call| bus::describe_event_bus(&call.endpoint, &call.decode()?)),
            Operation::now("DescribeRule", |call| rules::describe_rule(&call.endpoint, &call.decode()?)),
            Operation::now("DisableRule", |call| rules::disable_rule(&call.endpoint, &call.decode()?)),
            Operation::now("EnableRule", |call| rules::enable_rule(&call.endpoint, &call.decode()?)),
            Operation::now("ListEventBuses", |call| bus::list_event_buses(&call.endpoint, &call.decode()?)),
            Operation::now("ListRuleNamesByTarget", |call| {
                targets::list_rule_names_by_target(&call.endpoint, &call.decode()?)
            }),
            Operation::now("ListRules", |call| rules::list_rules(&call.endpoint, &call.decode()?)),
            Operation::now("ListTagsForResource", |call| tags::list_tags_for_resource(&call.endpoint, &call.decode()?)),
            Operation::now("ListTargetsByRule", |call| targets::list_targets_by_rule(&call.endpoint, &call.decode()?)),
            Operation::now("PutEvents", |call| put_events::put_events(&call.endpoint, &call.decode()?)),
            Operation::now("PutRule", |call| rules::put_rule(&call.endpoint, call.decode()?)),
            Operation::now("PutTargets", |call| targets::put_targets(&call.endpoint, call.decode()?)),
            Operation::now("RemoveTargets", |call| targets::remove_targets(&call.endpoint, &call.decode()?)),
            Operation::now("TagResource", |call| tags::tag_resource(&call.endpoint, &call.decode()?)),
            Operation::now("TestEventPattern", |call| put_events::test_event_pattern(&call.decode()?)),
            Operation::now("UntagResource", |call| tags::untag_resource(&call.endpoint, &call.decode()?)),
        ],
    )
};
