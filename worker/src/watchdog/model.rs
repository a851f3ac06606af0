//! Every order of events, ticks, faults and slow invocations on a small model of ECS and of the table: never are two
//! tasks at work, no interruption starts two, and in the end the batch is complete.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::*;

const SIZE: u64 = 2;
const LIMITS: Limits = Limits { restarts: 3, backoff: std::time::Duration::ZERO };

/// What may happen at most.
#[derive(Clone, Copy)]
struct Bounds {
    faults: usize,
    ticks: usize,
    /// How often each event may be delivered.
    deliveries: usize,
    /// Invocations at once.
    invocations: usize,
    /// Whether RunTask knows tokens; without them, the model has to find two tasks at work.
    tokens: bool,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct World {
    next: u64,
    tasks: Vec<Task>,
    invocations: Vec<Invocation>,
    /// A write that a killed task had sent, which may still arrive.
    in_flight: Option<u64>,
    faults: usize,
    ticks: usize,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Task {
    after: Option<usize>,
    mark: Option<(u32, u64)>,
    exit_code: Option<i32>,
    deliveries: usize,
    /// The late write has taken the item that this task works on.
    loses: bool,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Invocation {
    Called {
        event: Option<usize>,
    },
    /// It has seen the first tasks of the chain, the last of them still at work or not.
    HasSeen {
        last: Option<usize>,
        is_running: bool,
    },
    Decided {
        after: usize,
        mark: (u32, u64),
    },
}

impl World {
    /// A person has started the job.
    fn new(bounds: Bounds) -> Self {
        let first = Task { after: None, mark: None, exit_code: None, deliveries: bounds.deliveries, loses: false };
        let (faults, ticks) = (bounds.faults, bounds.ticks);
        Self { next: 0, tasks: vec![first], invocations: Vec::new(), in_flight: None, faults, ticks }
    }

    fn running(&self) -> Option<usize> {
        self.tasks.iter().position(|task| task.exit_code.is_none())
    }

    /// All that can happen next.
    fn successors(&self, bounds: Bounds) -> Vec<Self> {
        let mut all = Vec::new();
        let mut add = |change: &dyn Fn(&mut Self)| {
            let mut world = self.clone();
            change(&mut world);
            // Which invocation came first does not matter.
            world.invocations.sort_unstable_by_key(|invocation| format!("{:?}", invocation.key()));
            all.push(world);
        };
        if let Some(task) = self.running() {
            add(&|world| world.work(task));
            if self.faults > 0 {
                add(&|world| world.kill(task, false));
                add(&|world| world.kill(task, true));
            }
        }
        if self.in_flight.is_some() {
            add(&Self::arrive);
        }
        if self.invocations.len() < bounds.invocations {
            if self.ticks > 0 {
                add(&|world| {
                    world.ticks -= 1;
                    world.invocations.push(Invocation::Called { event: None });
                });
            }
            for (event, _) in self.tasks.iter().enumerate().filter(|(_, t)| t.exit_code.is_some() && t.deliveries > 0) {
                add(&|world| {
                    world.tasks[event].deliveries -= 1;
                    world.invocations.push(Invocation::Called { event: Some(event) });
                });
            }
        }
        for (place, invocation) in self.invocations.iter().enumerate() {
            match *invocation {
                // The lists of ECS may be as they were at any time before.
                Invocation::Called { event } => {
                    for (last, is_running) in self.views(event) {
                        add(&|world| world.invocations[place] = Invocation::HasSeen { last, is_running });
                    }
                }
                Invocation::HasSeen { last, is_running } => add(&|world| world.decide(place, last, is_running)),
                Invocation::Decided { after, mark } => add(&|world| {
                    world.invocations.remove(place);
                    world.run_task(after, mark, bounds);
                }),
            }
        }
        all
    }

    /// The ends of the chain that a look may find.
    fn views(&self, event: Option<usize>) -> Vec<(Option<usize>, bool)> {
        let mut views = Vec::new();
        if event.is_none() {
            views.push((None, false));
        }
        for (last, task) in self.tasks.iter().enumerate() {
            if event.is_none_or(|event| last > event) {
                views.push((Some(last), true));
            }
            if event.is_none_or(|event| last >= event) && task.exit_code.is_some() {
                views.push((Some(last), false));
            }
        }
        views
    }

    fn work(&mut self, task: usize) {
        if self.tasks[task].loses {
            self.tasks[task].exit_code = Some(3);
        } else if self.next < SIZE {
            self.next += 1;
        } else {
            self.tasks[task].exit_code = Some(0);
        }
    }

    fn kill(&mut self, task: usize, has_sent: bool) {
        self.faults -= 1;
        self.tasks[task].exit_code = Some(143);
        if has_sent && self.next < SIZE {
            self.in_flight = Some(self.next);
        }
    }

    fn arrive(&mut self) {
        if self.in_flight.take() == Some(self.next) {
            self.next += 1;
            if let Some(task) = self.running() {
                self.tasks[task].loses = true;
            }
        }
    }

    fn decide(&mut self, place: usize, last: Option<usize>, is_running: bool) {
        let seen = self.seen(last, is_running);
        match decide(&seen, &LIMITS, DateTime::<Utc>::UNIX_EPOCH) {
            Decision::Restart { after, mark } => {
                let after = after.task.parse().unwrap();
                self.invocations[place] = Invocation::Decided { after, mark: (mark.in_vain, mark.next) };
            }
            _ => drop(self.invocations.remove(place)),
        }
    }

    fn seen(&self, last: Option<usize>, is_running: bool) -> Seen {
        let ended = last.filter(|_| !is_running).map(|task| Ended {
            task: task.to_string(),
            exit_code: self.tasks[task].exit_code,
            at: DateTime::UNIX_EPOCH,
            mark: self.tasks[task].mark.map(|(in_vain, next)| Mark { in_vain, next }),
        });
        Seen {
            progress: Progress { next: self.next, size: SIZE },
            running: is_running.then(|| "at work".to_owned()),
            last: ended,
            batch_id: "batch".to_owned(),
            overrides: None,
        }
    }

    /// One token, one task: with other parameters it is refused, which changes nothing either.
    fn run_task(&mut self, after: usize, mark: (u32, u64), bounds: Bounds) {
        let is_known = self.tasks.iter().any(|task| task.after == Some(after));
        if !(bounds.tokens && is_known) {
            let deliveries = bounds.deliveries;
            self.tasks.push(Task { after: Some(after), mark: Some(mark), exit_code: None, deliveries, loses: false });
        }
    }

    fn check(&self) -> Result<(), String> {
        let running = self.tasks.iter().filter(|task| task.exit_code.is_none()).count();
        if running > 1 {
            return Err(format!("{running} tasks at work"));
        }
        let interruptions = self.tasks.iter().filter(|task| !matches!(task.exit_code, None | Some(0))).count();
        if self.tasks.len() > 1 + interruptions {
            return Err(format!("{} tasks after {interruptions} interruptions", self.tasks.len()));
        }
        Ok(())
    }

    /// No more faults, all events lost, and a tick each minute.
    fn ends_well(mut self, bounds: Bounds) -> Result<(), String> {
        self.arrive();
        self.invocations.clear();
        for _ in 0..2 * (SIZE as usize + bounds.faults + 2) {
            match self.running() {
                Some(task) => self.work(task),
                None => {
                    let last = self.tasks.len() - 1;
                    self.invocations.push(Invocation::HasSeen { last: Some(last), is_running: false });
                    self.decide(0, Some(last), false);
                    if let Some(Invocation::Decided { after, mark }) = self.invocations.pop() {
                        self.run_task(after, mark, bounds);
                    }
                }
            }
        }
        let is_over = self.next == SIZE && self.running().is_none();
        if is_over { self.check() } else { Err(format!("the batch stays at item {}", self.next)) }
    }
}

impl Invocation {
    fn key(&self) -> (usize, Option<usize>, bool, (u32, u64)) {
        match *self {
            Self::Called { event } => (0, event, false, (0, 0)),
            Self::HasSeen { last, is_running } => (1, last, is_running, (0, 0)),
            Self::Decided { after, mark } => (2, Some(after), false, mark),
        }
    }
}

/// Looks at every state that can be reached; how many there are, or what is wrong with one.
fn explore(bounds: Bounds) -> Result<usize, String> {
    let first = World::new(bounds);
    let mut known = HashSet::from([first.clone()]);
    let mut open = vec![first];
    while let Some(world) = open.pop() {
        world.check()?;
        world.clone().ends_well(bounds)?;
        for next in world.successors(bounds) {
            if known.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    Ok(known.len())
}

const BOUNDS: Bounds = Bounds { faults: 2, ticks: 2, deliveries: 2, invocations: 2, tokens: true };

#[test]
fn one_restart_for_one_interruption_in_every_order() {
    let states = explore(BOUNDS).unwrap();
    assert!(states > 10_000, "{states} states are no proof");
}

#[test]
fn three_invocations_at_once() {
    explore(Bounds { faults: 1, ticks: 1, invocations: 3, ..BOUNDS }).unwrap();
}

#[test]
fn without_the_token_two_tasks_would_be_at_work() {
    let wrong = explore(Bounds { tokens: false, ..BOUNDS }).unwrap_err();
    assert!(wrong.starts_with("2 tasks"), "{wrong}");
}
