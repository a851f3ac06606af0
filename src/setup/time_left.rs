//! How long a stack that is on its way still takes.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime};

use aws_sdk_cloudformation::types::ResourceStatus;
use local_aws::{Direction, Estimate};

use crate::aws::stack::Event;

/// An operation that took less is over before anybody has read how long it will take.
const WORTH_SAYING: Duration = Duration::from_secs(1);

/// By what resources typically take on AWS, and by how fast those of this stack have been up to now: a busy region is
/// slower, an endpoint on this machine is faster.
pub(super) struct TimeLeft {
    template: &'static str,
    parameters: BTreeMap<String, String>,
    /// Made only for an operation that lasts; `None` for values that the template does not take.
    estimate: OnceCell<Option<Estimate>>,
    way: Option<Direction>,
    begin: Option<SystemTime>,
    resources: HashMap<String, Stage>,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    Begun(SystemTime),
    Done(Duration),
}

impl TimeLeft {
    pub(super) fn new(template: &'static str, parameters: &BTreeMap<String, String>) -> Self {
        Self {
            template,
            parameters: parameters.clone(),
            estimate: OnceCell::new(),
            way: None,
            begin: None,
            resources: HashMap::new(),
        }
    }

    /// How long the stack still takes after this event; `None` where there is nothing to say.
    pub(super) fn after(&mut self, event: &Event) -> Option<Duration> {
        self.note(event);
        let since = |time: SystemTime| event.time.duration_since(time).unwrap_or_default();
        let way = self.way?;
        if since(self.begin?) < WORTH_SAYING {
            return None;
        }
        let estimate = self.estimate.get_or_init(|| Estimate::of(self.template, &self.parameters).ok()).as_ref()?;
        let slowness = slowness(&self.resources, estimate, way);
        let left = estimate.longest_chain(way, |name, typical| {
            let usual = typical.mul_f64(slowness);
            match self.resources.get(name) {
                None => usual,
                Some(Stage::Done(_)) => Duration::ZERO,
                // What is late may end at any moment, but has not ended yet.
                Some(Stage::Begun(begin)) => usual.saturating_sub(since(*begin)).max(usual / 10),
            }
        });
        (left >= WORTH_SAYING).then_some(left)
    }

    /// How many resources come or go; `None` as long as nothing is known of the time, either.
    pub(super) fn of_how_many(&self) -> Option<usize> {
        self.way.and(self.estimate.get()?.as_ref()).map(Estimate::resources)
    }

    fn note(&mut self, event: &Event) {
        if event.is_stack {
            // The order in which an update or a rollback does things is not that of the template.
            self.way = match event.status {
                ResourceStatus::CreateInProgress => Some(Direction::Creation),
                ResourceStatus::DeleteInProgress => Some(Direction::Deletion),
                _ => None,
            };
            self.begin = Some(event.time);
            self.resources.clear();
            return;
        }
        let name = event.logical_id.clone();
        if !event.is_settled() {
            // The second event of a creation only tells the physical id.
            self.resources.entry(name).or_insert(Stage::Begun(event.time));
        } else if let Some(Stage::Begun(begin)) = self.resources.get(&name) {
            let taken = event.time.duration_since(*begin).unwrap_or_default();
            self.resources.insert(name, Stage::Done(taken));
        } else {
            self.resources.insert(name, Stage::Done(Duration::ZERO));
        }
    }
}

/// How many times longer than typical the resources that are done have taken.
fn slowness(resources: &HashMap<String, Stage>, estimate: &Estimate, way: Direction) -> f64 {
    let done = resources.iter().filter_map(|(name, stage)| match stage {
        Stage::Done(taken) => Some((*taken, estimate.typical(name, way)?)),
        Stage::Begun(_) => None,
    });
    let (taken, typical) =
        done.fold((0.0, 0.0), |(taken, typical), (one, of)| (taken + one.as_secs_f64(), typical + of.as_secs_f64()));
    if typical > 0.0 { taken / typical } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "
Resources:
  Cluster: {Type: AWS::ECS::Cluster, Properties: {}}
  Role: {Type: AWS::IAM::Role, DependsOn: Cluster, Properties: {}}
  Table: {Type: AWS::DynamoDB::Table, Properties: {}}
";

    fn event(seconds: u64, logical_id: &str, status: &str) -> Event {
        Event {
            id: String::new(),
            time: SystemTime::UNIX_EPOCH + Duration::from_secs(seconds),
            logical_id: logical_id.into(),
            physical_id: String::new(),
            resource_type: String::new(),
            status: status.into(),
            reason: String::new(),
            is_stack: logical_id == "Stack",
        }
    }

    fn after(events: &[(u64, &str, &str)]) -> Vec<Option<u64>> {
        let mut left = TimeLeft::new(TEMPLATE, &BTreeMap::new());
        let events = events.iter().map(|(seconds, name, status)| event(*seconds, name, status));
        events.map(|event| left.after(&event).map(|left| left.as_secs())).collect()
    }

    #[test]
    fn a_creation_takes_as_long_as_its_longest_chain() {
        let left = after(&[
            (0, "Stack", "CREATE_IN_PROGRESS"),
            (2, "Table", "CREATE_IN_PROGRESS"),
            (2, "Cluster", "CREATE_IN_PROGRESS"),
            // Ten seconds, as usual: 17 for the role, 20 for the table.
            (12, "Cluster", "CREATE_COMPLETE"),
            (13, "Role", "CREATE_IN_PROGRESS"),
            (32, "Table", "CREATE_COMPLETE"),
            (32, "Role", "CREATE_COMPLETE"),
        ]);
        assert_eq!(left, [None, Some(30), Some(30), Some(20), Some(19), Some(1), None]);
    }

    #[test]
    fn what_is_slow_here_is_expected_to_stay_slow() {
        let left = after(&[
            (0, "Stack", "CREATE_IN_PROGRESS"),
            (0, "Cluster", "CREATE_IN_PROGRESS"),
            (30, "Cluster", "CREATE_COMPLETE"),
        ]);
        assert_eq!(left[2], Some(90), "the table, three times 30 s");
    }

    #[test]
    fn it_is_known_how_many_resources_come() {
        let mut left = TimeLeft::new(TEMPLATE, &BTreeMap::new());
        left.after(&event(0, "Stack", "CREATE_IN_PROGRESS"));
        assert_eq!(left.of_how_many(), None);
        left.after(&event(2, "Table", "CREATE_IN_PROGRESS"));
        assert_eq!(left.of_how_many(), Some(3));
        left.after(&event(3, "Stack", "ROLLBACK_IN_PROGRESS"));
        assert_eq!(left.of_how_many(), None);
    }

    #[test]
    fn updates_and_rollbacks_are_not_foretold() {
        let left = after(&[
            (0, "Stack", "CREATE_IN_PROGRESS"),
            (5, "Cluster", "CREATE_FAILED"),
            (6, "Stack", "ROLLBACK_IN_PROGRESS"),
            (9, "Cluster", "DELETE_IN_PROGRESS"),
        ]);
        assert_eq!(left[2..], [None, None]);
    }

    #[test]
    fn the_templates_of_the_workshop_are_read() {
        let network = Estimate::of(crate::render::NETWORK, &BTreeMap::new()).unwrap();
        let whole = network.longest_chain(Direction::Creation, |_, typical| typical).as_secs();
        assert!((120..240).contains(&whole), "{whole}");
    }
}
