//! ECS, as far as `watchdog` asks for it: tasks of one cluster, which a test moves on by hand.

use std::{
    collections::HashMap,
    sync::Mutex,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

/// The cluster's tasks, in the order in which they were started, as DescribeTasks shows them.
#[derive(Default)]
pub(crate) struct Ecs {
    pub(crate) state: Mutex<State>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) tasks: Vec<Value>,
    /// What RunTask was asked for, by token.
    pub(crate) runs: HashMap<String, (Value, usize)>,
    /// All that it was asked for.
    pub(crate) requests: Vec<Value>,
    /// So many of the latest tasks are in no list and no description yet.
    pub(crate) not_seen: usize,
    /// RunTask has no capacity.
    pub(crate) is_full: bool,
}

const ARN: &str = "arn:aws:ecs:eu-west-1:123456789012";

pub(crate) fn arn(id: &str) -> String {
    format!("{ARN}:task/lab/{id}")
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

impl Ecs {
    /// A task as it is at the start.
    pub(crate) fn start(&self, id: &str, started_by: &str, overrides: Value) {
        let mut state = self.state.lock().unwrap();
        state.start(id, "job", started_by, overrides);
    }

    /// A stopped task, `seconds` ago.
    pub(crate) fn stop(&self, id: &str, exit_code: Option<i32>, seconds: f64) {
        let mut state = self.state.lock().unwrap();
        let task = state.tasks.iter_mut().find(|task| task["taskArn"] == arn(id)).unwrap();
        task["lastStatus"] = json!("STOPPED");
        task["desiredStatus"] = json!("STOPPED");
        task["stoppedAt"] = json!(now() - seconds);
        task["version"] = json!(6);
        if let Some(code) = exit_code {
            task["containers"][1]["exitCode"] = json!(code);
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.state.lock().unwrap().tasks.len()
    }

    pub(crate) fn answer(&self, operation: &str, input: Value) -> Result<Value, Value> {
        assert_eq!(input["cluster"], "lab");
        let state = &mut *self.state.lock().unwrap();
        let seen = state.tasks.len() - state.not_seen;
        match operation {
            "ListTasks" => {
                let is_listed = |task: &&Value| {
                    task["group"] == format!("family:{}", input["family"].as_str().unwrap())
                        && task["desiredStatus"] == input["desiredStatus"]
                };
                let tasks = state.tasks[..seen].iter().filter(is_listed);
                Ok(json!({"taskArns": tasks.map(|task| task["taskArn"].clone()).collect::<Vec<_>>()}))
            }
            "DescribeTasks" => {
                let arns = input["tasks"].as_array().unwrap();
                assert!(!arns.is_empty(), "Tasks cannot be empty.");
                let tasks: Vec<_> = state.tasks[..seen].iter().filter(|task| arns.contains(&task["taskArn"])).collect();
                Ok(json!({"tasks": tasks, "failures": []}))
            }
            "RunTask" => state.run(input),
            other => panic!("watchdog has no use for {other}"),
        }
    }
}

impl State {
    fn start(&mut self, id: &str, family: &str, started_by: &str, mut overrides: Value) -> usize {
        // What it shows is more than it takes.
        overrides["inferenceAcceleratorOverrides"] = json!([]);
        overrides["containerOverrides"].as_array_mut().unwrap().push(json!({"name": "aws-guardduty-agent-x"}));
        self.tasks.push(json!({
            "taskArn": arn(id),
            "clusterArn": format!("{ARN}:cluster/lab"),
            "group": format!("family:{family}"),
            "lastStatus": "RUNNING",
            "desiredStatus": "RUNNING",
            "startedBy": started_by,
            "createdAt": now(),
            "version": 3,
            "overrides": overrides,
            "containers": [{"name": "aws-guardduty-agent-x", "exitCode": 0}, {"name": "BatchJob"}],
        }));
        self.tasks.len() - 1
    }

    fn run(&mut self, input: Value) -> Result<Value, Value> {
        self.requests.push(input.clone());
        if self.is_full {
            let failure = json!({"reason": "Capacity is unavailable at this time.", "detail": "try later"});
            return Ok(json!({"tasks": [], "failures": [failure]}));
        }
        let token = input["clientToken"].as_str().unwrap().to_owned();
        let task = match self.runs.get(&token) {
            Some((request, task)) if *request == input => *task,
            Some((_, task)) => {
                let ids = [&self.tasks[*task]["taskArn"]];
                return Err(json!({"__type": "ConflictException", "message": "Conflict.", "resourceIds": ids}));
            }
            None => {
                let id = format!("{:032x}", self.tasks.len());
                let started_by = input["startedBy"].as_str().unwrap();
                let task = self.start(&id, "job", started_by, input["overrides"].clone());
                self.runs.insert(token, (input, task));
                task
            }
        };
        Ok(json!({"tasks": [self.tasks[task]], "failures": []}))
    }
}
