//! An environment in which one schedule after the other is played.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::observed::{Observed, Ran, Starter};
use super::schedule::{Delivery, How, Schedule};
use super::{by_hand, shared, watched};
use crate::aws::arn::task_id;
use crate::aws::clients::Clients;
use crate::aws::deployed::Deployed;
use crate::aws::gate::{Seen, Until};
use crate::aws::logs::LogReader;
use crate::aws::own::{self, Worker};
use crate::aws::tasks::{self, Overrides, Task};
use crate::aws::{queue, table, watchdog};
use crate::error::{Error, Result};
use crate::lab::variant::{Design, Restart};
use crate::setup::EnvironmentUp;

/// For so many seconds a task may make no request before nobody waits for it any longer.
const PATIENCE: u64 = 20;

/// How often a job is started again beyond the kills that it meets.
const SPARE_STARTS: usize = 2;

/// For so many seconds others do not see a message that a task has taken: a killed task's message is waited for.
const HIDDEN: u32 = 1;

/// One environment of the endpoint.
#[derive(Debug)]
pub(crate) struct Lane<'a> {
    pub(super) clients: &'a Clients,
    pub(super) deployed: Deployed,
    /// Tasks of schedules that are over.
    known: RefCell<BTreeSet<String>>,
}

impl<'a> Lane<'a> {
    /// Makes the environment ready: its watchdog hears of nothing but what it is told here.
    ///
    /// # Errors
    /// When it was not set up, or the endpoint refuses.
    pub(crate) async fn new(clients: &'a Clients, up: EnvironmentUp) -> Result<Self> {
        let stack = up.result?.stack;
        watchdog::send_to_sleep(clients, &stack).await?;
        let deployed = Deployed::of(up.environment, stack);
        queue::hide_for(clients, &deployed, HIDDEN).await?;
        Ok(Self { clients, deployed, known: RefCell::default() })
    }

    /// Makes `worker` what tasks of one's own run here.
    ///
    /// # Errors
    /// When it cannot run here.
    pub(crate) async fn take_in(&mut self, worker: &Worker) -> Result<()> {
        // What there is to warn of was said of the first lane.
        self.deployed = own::install(self.clients, self.deployed.clone(), worker, |_| ()).await?;
        Ok(())
    }

    /// Plays it on an empty table; `size` items.
    pub(super) async fn play(&self, design: &Design, schedule: &Schedule, size: u64) -> Result<Observed> {
        let playing = Playing { lane: self, design, size, ran: RefCell::default() };
        playing.prepare(schedule).await?;
        self.clients.gate.put(self.cluster()?, &schedule.turns).await?;
        match design.restart {
            Restart::ByHand => by_hand::play(&playing, schedule).await?,
            Restart::ByWatchdog => watched::play(&playing, schedule).await?,
            Restart::NotNeeded => shared::play(&playing, schedule).await?,
        }
        playing.observe().await
    }

    fn cluster(&self) -> Result<&str> {
        self.deployed.cluster()
    }
}

/// One schedule in a lane.
pub(super) struct Playing<'a> {
    pub(super) lane: &'a Lane<'a>,
    pub(super) design: &'a Design,
    size: u64,
    ran: RefCell<Vec<Ran>>,
}

impl Playing<'_> {
    async fn prepare(&self, schedule: &Schedule) -> Result<()> {
        let Lane { clients, deployed, .. } = self.lane;
        table::clear(clients, deployed, |_| ()).await?;
        if self.design.restart != Restart::NotNeeded {
            return Ok(());
        }
        queue::clear(clients, deployed, || ()).await?;
        let How::Message(index, delivery) = schedule.how else {
            return queue::seed(clients, deployed, self.size, |_| ()).await.map(drop);
        };
        for other in 0..self.size {
            match (other == index, delivery) {
                (true, Delivery::Late | Delivery::Lost) => queue::send_again(clients, deployed, other, 1).await?,
                (true, Delivery::Twice) => {
                    queue::send_again(clients, deployed, other, 0).await?;
                    queue::send_again(clients, deployed, other, 0).await?;
                }
                (false, _) => queue::send_again(clients, deployed, other, 0).await?,
            }
        }
        Ok(())
    }

    /// A person starts a task; its id.
    pub(super) async fn start(&self) -> Result<String> {
        let overrides = Overrides { item_seconds: Some(0.0), batch_size: Some(self.size) };
        let Lane { clients, deployed, .. } = self.lane;
        let task = tasks::run(clients, deployed, self.design.program, overrides, |_| ()).await?;
        Ok(self.note(&task.task_arn, Starter::Person))
    }

    /// A task that was not known before.
    pub(super) fn note(&self, task_arn: &str, starter: Starter) -> String {
        let id = task_id(task_arn).to_owned();
        self.lane.known.borrow_mut().insert(id.clone());
        self.ran.borrow_mut().push(Ran { id: id.clone(), starter, ..Ran::default() });
        id
    }

    /// Waits until the task has come to the gate.
    pub(super) async fn seen(&self, id: &str) -> Result<()> {
        self.lane.clients.gate.wait(self.lane.cluster()?, id, Until::Seen, PATIENCE).await.map(drop)
    }

    /// Waits for the end of the task, as long as something happens. Its exit code; none of one that hangs, which is stopped.
    pub(super) async fn end(&self, id: &str) -> Result<Option<i32>> {
        let Lane { clients, deployed, .. } = self.lane;
        let mut requests = None;
        loop {
            let Seen { requests: now, .. } =
                clients.gate.wait(self.lane.cluster()?, id, Until::Ended, PATIENCE).await?;
            let task = tasks::get(clients, deployed, id).await?;
            let hangs = requests == Some(now.len());
            if hangs && !task.is_stopped() {
                tasks::stop(clients, deployed.cluster()?, id, "It makes no more requests").await?;
            }
            if hangs || task.is_stopped() {
                self.ended(&task, hangs);
                return Ok(task.exit_code);
            }
            requests = Some(now.len());
        }
    }

    fn ended(&self, task: &Task, hung: bool) {
        let mut ran = self.ran.borrow_mut();
        if let Some(ran) = ran.iter_mut().find(|ran| ran.id == task_id(&task.task_arn)) {
            (ran.exit_code, ran.hung) = (task.exit_code.filter(|_| !hung), hung);
        }
    }

    /// Whether the job may be started once more.
    pub(super) fn may_start(&self, schedule: &Schedule) -> bool {
        let ran = self.ran.borrow();
        !ran.last().is_some_and(|task| task.hung) && ran.len() <= schedule.interruptions() + SPARE_STARTS
    }

    /// Tasks that somebody else has started, the oldest first.
    pub(super) async fn others(&self) -> Result<Vec<Task>> {
        let tasks = tasks::of_environment(self.lane.clients, &self.lane.deployed).await?;
        let known = self.lane.known.borrow();
        let mut others: Vec<_> = tasks.into_iter().filter(|task| !known.contains(task_id(&task.task_arn))).collect();
        others.reverse();
        Ok(others)
    }

    /// All that it has left.
    async fn observe(&self) -> Result<Observed> {
        let Lane { clients, deployed, .. } = self.lane;
        let mut tasks = self.ran.take();
        for task in &mut tasks {
            let lines = LogReader::of_task(clients, deployed, self.design.program, &task.id)?.read().await?;
            task.log = lines.into_iter().map(|line| line.message).collect();
        }
        let messages = match self.design.restart {
            Restart::NotNeeded => queue::depth(clients, deployed).await?,
            _ => queue::Depth::default(),
        };
        Ok(Observed {
            batch_id: deployed.batch_id()?.to_owned(),
            size: self.size,
            tasks,
            requests: clients.gate.seen(self.lane.cluster()?).await?.requests,
            items: table::items(clients, deployed).await?,
            messages,
        })
    }
}

/// The lanes of what was set up.
///
/// # Errors
/// When one of them was not.
pub(crate) async fn lanes(clients: &Clients, up: Vec<EnvironmentUp>) -> Result<Vec<Lane<'_>>> {
    let lanes = futures_util::future::try_join_all(up.into_iter().map(|up| Lane::new(clients, up))).await?;
    if lanes.is_empty() {
        return Err(Error::failed("No environment was set up."));
    }
    Ok(lanes)
}
