//! Looking at environments. What is wrong with one hides neither the others nor what can be read of it.

use futures_util::future::try_join_all;
use futures_util::{StreamExt, stream};

use super::parts::Parts;
use super::{Problem, StackStatus, Status, TableStatus, TaskStatus};
use crate::aws::clients::Clients;
use crate::aws::deployed::Deployed;
use crate::aws::experiment;
use crate::aws::program::Program;
use crate::aws::queue::{self, Depth};
use crate::aws::stack::{self, Stack};
use crate::aws::table;
use crate::aws::tasks::{self, Task};
use crate::aws::watchdog::{self, Said};
use crate::environment::{Environment, NETWORK_STACK};
use crate::error::{Error, Result};

/// Every environment as it is now, with the last `ended` of its stopped tasks.
///
/// # Errors
/// When the parts of environments cannot be listed, or no environment can be read: then it is the way to AWS that is at fault.
pub(crate) async fn look(
    clients: &Clients,
    environments: Vec<Environment>,
    ended: usize,
    parallel: usize,
) -> Result<Vec<Status>> {
    let listed = &Parts::list(clients).await?;
    let looks = environments.into_iter().map(|environment| async move {
        let found = look_at(clients, Some(listed), environment.clone(), ended).await;
        (environment, found.map(|look| look.status))
    });
    let found: Vec<_> = stream::iter(looks).buffered(parallel).collect().await;
    if let Some((_, Err(error))) = found.first()
        && found.iter().all(|(_, found)| found.is_err())
    {
        return Err(error.clone());
    }
    let unread = |environment, error: Error| Status {
        stacks: Vec::new(),
        problem: Some(Problem::of(error, clients.target)),
        ..Status::of_nothing(clients.target, environment)
    };
    Ok(found.into_iter().map(|(environment, found)| found.unwrap_or_else(|error| unread(environment, error))).collect())
}

/// One environment as it is now.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) status: Status,
    /// If its stack is complete.
    pub(crate) deployed: Option<Deployed>,
}

/// One environment as it is now, with the last `ended` of its stopped tasks. What somebody has deleted by hand is found by what was
/// `listed`; without that, only a table that is gone.
///
/// # Errors
/// When its stacks cannot be read.
pub(crate) async fn look_at(
    clients: &Clients,
    listed: Option<&Parts>,
    environment: Environment,
    ended: usize,
) -> Result<Look> {
    let mut status = Status::of_nothing(clients.target, environment.clone());
    let name = environment.stack_name();
    let (network, workshop) = tokio::try_join!(stack::find(clients, NETWORK_STACK), stack::find(clients, &name))?;
    status.stacks = vec![StackStatus::of(NETWORK_STACK, network.as_ref()), StackStatus::of(&name, workshop.as_ref())];
    match workshop {
        Some(stack) if !stack.outputs.is_empty() => {
            let deployed = Deployed::of(environment, stack);
            parts(clients, listed, &deployed, &mut status, ended).await;
            Ok(Look { status, deployed: Some(deployed) })
        }
        // Not complete, or gone; its cluster may be there all the same.
        _ => {
            let tasks = tasks::all(clients, &environment.cluster_name()).await;
            let tasks = status.read(tasks);
            status.take(tasks, ended, |_| None);
            Ok(Look { status, deployed: None })
        }
    }
}

/// Each part for itself: one that is gone does not hide the others.
async fn parts(clients: &Clients, listed: Option<&Parts>, deployed: &Deployed, status: &mut Status, ended: usize) {
    let gone = async {
        match listed {
            Some(listed) => listed.gone(clients, deployed).await,
            None => Ok(Vec::new()),
        }
    };
    let (tasks, experiments, mut table, queue, said, gone) = tokio::join!(
        tasks::of_environment(clients, deployed),
        experiments(clients, deployed),
        table(clients, deployed),
        queue(clients, deployed),
        said(clients, deployed),
        gone,
    );
    let mut gone = status.read(gone);
    if table.as_ref().is_err_and(|error| error.has_code(&["ResourceNotFoundException"])) {
        gone.insert(0, "table".to_owned());
        table = Ok(None);
    }
    if !gone.is_empty() && !deployed.is_on_its_way() {
        status.problem = Some(match deployed.taken_down(clients).await {
            Ok(None) => Problem::gone(&gone, &deployed.environment),
            Ok(Some(error)) | Err(error) => Problem::of(error, clients.target),
        });
    }
    let program = |task: &Task| deployed.program_of(&task.task_definition_arn).map(Program::name);
    let tasks = status.read(tasks);
    status.take(tasks, ended, program);
    status.table = status.read(table);
    status.queue = status.read(queue);
    status.watchdog = status.read(said);
    status.experiments = status.read(experiments);
}

async fn experiments(clients: &Clients, deployed: &Deployed) -> Result<Vec<experiment::Experiment>> {
    let templates = deployed.experiment_templates()?;
    let lists = try_join_all(templates.into_iter().map(|(_, template)| experiment::list(clients, template))).await?;
    let mut experiments = lists.concat();
    experiments.sort_by(|a, b| b.started_at.cmp(&a.started_at));
    Ok(experiments)
}

async fn table(clients: &Clients, deployed: &Deployed) -> Result<Option<TableStatus>> {
    let items = table::items(clients, deployed).await?;
    let batch_size = deployed.batch_size()?;
    let missing = table::missing(&items, batch_size);
    let table = deployed.table()?.to_owned();
    Ok(Some(TableStatus { table, items: items.len(), written: items, batch_size, missing }))
}

/// A queue that is gone is named with the parts.
async fn queue(clients: &Clients, deployed: &Deployed) -> Result<Option<Depth>> {
    match queue::depth(clients, deployed).await {
        Err(error) if error.has_code(queue::NONE) => Ok(None),
        depth => depth.map(Some),
    }
}

/// So is a table.
async fn said(clients: &Clients, deployed: &Deployed) -> Result<Option<Said>> {
    match watchdog::said(clients, deployed).await {
        Err(error) if error.has_code(&["ResourceNotFoundException"]) => Ok(None),
        said => said,
    }
}

impl Status {
    /// A part that was read; one that was not is the problem, and the rest is shown without it.
    pub(crate) fn read<T: Default>(&mut self, part: Result<T>) -> T {
        part.unwrap_or_else(|error| {
            self.problem.get_or_insert_with(|| Problem::of(error, self.target));
            T::default()
        })
    }

    /// The tasks, with the last `ended` of those that have stopped.
    fn take(&mut self, tasks: Vec<Task>, ended: usize, variant: impl Fn(&Task) -> Option<&'static str>) {
        let (active, stopped): (Vec<_>, Vec<_>) = tasks.into_iter().partition(Task::should_run);
        self.older_tasks = stopped.len().saturating_sub(ended);
        let shown = active.into_iter().chain(stopped.into_iter().take(ended));
        self.tasks = shown.map(|task| TaskStatus { variant: variant(&task), task }).collect();
    }
}

impl StackStatus {
    fn of(name: &str, stack: Option<&Stack>) -> Self {
        match stack {
            Some(Stack { status, reason, .. }) => {
                Self { stack: name.to_owned(), status: Some(status.to_string()), reason: reason.clone() }
            }
            None => Self::missing(name.to_owned()),
        }
    }
}

impl Problem {
    /// Somebody has deleted `parts` by hand.
    fn gone(parts: &[String], environment: &Environment) -> Self {
        let (short, what) = match parts {
            [some @ .., last] if !some.is_empty() => {
                (format!("{} parts are gone", parts.len()), format!("{} and {last} are gone", some.join(", ")))
            }
            one => (format!("{} is gone", one.concat()), format!("{} is gone", one.concat())),
        };
        Self { short, text: format!("{what}: {}", environment.remedy()), error: None }
    }
}
