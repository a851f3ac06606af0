//! What of an environment somebody has deleted by hand.

use futures_util::future::try_join_all;

use crate::aws::arn;
use crate::aws::clients::Clients;
use crate::aws::deployed::Deployed;
use crate::aws::experiment;
use crate::aws::logs;
use crate::aws::program::Program;
use crate::aws::queue;
use crate::aws::stack::{self, Stack};
use crate::aws::tasks;
use crate::aws::watchdog;
use crate::environment::{Environment, NETWORK_STACK};
use crate::error::{Doing, Result};

/// The tag of the template's task definitions, by which its experiment finds tasks.
const TARGET_TAG: (&str, &str) = ("fisTarget", "true");

/// What there is of all environments, listed once: forty environments that ask for theirs would be throttled.
pub(crate) struct Parts {
    log_groups: Vec<String>,
    /// Families of task definitions with a revision that can be run.
    families: Vec<String>,
    roles: Vec<String>,
    functions: Vec<String>,
    /// Those that are switched on.
    rules: Vec<String>,
    queues: Vec<String>,
    /// Whether the private subnets reach AWS; yes where the network is not ours.
    has_way_out: bool,
}

impl Parts {
    /// # Errors
    /// When AWS refuses a list.
    pub(super) async fn list(clients: &Clients) -> Result<Self> {
        let prefix = Environment::default().stack_name();
        let (log_groups, families, roles, functions, rules, queues, has_way_out) = tokio::try_join!(
            logs::groups(clients, &prefix),
            tasks::families(clients, "FisStopTask"),
            async { clients.iam.list_roles().await.doing("Listing the roles") },
            clients.functions.names(),
            clients.rules.enabled(&prefix),
            queue::urls(clients, &prefix),
            has_way_out(clients),
        )?;
        Ok(Self { log_groups, families, roles, functions, rules, queues, has_way_out })
    }

    /// The parts of the environment that are gone, besides its table.
    pub(super) async fn gone(&self, clients: &Clients, deployed: &Deployed) -> Result<Vec<String>> {
        let templates = deployed.experiment_templates()?;
        let targets = templates.iter().map(|(_, template)| experiment::find_target_tags(clients, template));
        let (cluster, targets) =
            tokio::try_join!(tasks::has_cluster(clients, deployed.cluster()?), try_join_all(targets))?;
        let mut parts = vec![("cluster".to_owned(), cluster)];
        for ((name, _), tags) in templates.iter().zip(targets) {
            let finds_tasks =
                tags.as_ref().is_none_or(|tags| tags.get(TARGET_TAG.0).is_some_and(|it| it == TARGET_TAG.1));
            parts.push((name.to_string(), tags.is_some()));
            parts.push((format!("target of the {name}"), finds_tasks));
        }
        for program in Program::ALL {
            let group = deployed.log_group(*program)?.to_owned();
            let mut is_there = self.log_groups.contains(&group);
            if !is_there {
                // It may have been made since the list.
                is_there = logs::groups(clients, &group).await?.contains(&group);
            }
            parts.push((format!("log group of {program}"), is_there));
            if Program::OURS.contains(program) {
                let family = arn::family(deployed.task_definition(*program)?).to_owned();
                parts.push((format!("task definition of {program}"), self.families.contains(&family)));
            }
        }
        for (what, role) in deployed.roles()? {
            parts.push((what, self.roles.iter().any(|name| *name == arn::last_part(role))));
        }
        let has = |list: &[String], name: &str| list.iter().any(|one| one == name);
        parts.push(("watchdog function".to_owned(), has(&self.functions, deployed.watchdog_function()?)));
        let shut_out = watchdog::shut_out(clients, deployed).await?;
        for rule in deployed.watchdog_rules()? {
            parts.push((format!("switched-on rule {rule}"), has(&self.rules, rule)));
            parts.push((format!("permission of {rule} to call the watchdog"), !shut_out.contains(&rule)));
        }
        parts.push(("queue".to_owned(), has(&self.queues, deployed.queue_url()?)));
        parts.push(("dead-letter queue".to_owned(), has(&self.queues, deployed.dead_letter_queue_url()?)));
        parts.push(("way out of the private subnets".to_owned(), self.has_way_out));
        Ok(parts.into_iter().filter(|(_, is_there)| !is_there).map(|(part, _)| part).collect())
    }
}

/// Whether each private subnet of our network has a default route that leads somewhere: one to a NAT gateway that is gone is
/// a black hole. With endpoints instead of a NAT gateway, there is none.
async fn has_way_out(clients: &Clients) -> Result<bool> {
    let stack = stack::find(clients, NETWORK_STACK).await?;
    let Some(stack) = stack.filter(|stack| !stack.is_busy() && has_nat_gateway(stack)) else { return Ok(true) };
    let Ok(subnets) = stack.output("PrivateSubnetIds") else { return Ok(true) };
    let subnets: Vec<&str> = subnets.split(',').collect();
    let tables = clients.ec2.describe_route_tables(&subnets).await.doing("Describing the route tables")?;
    let leads_out = |subnet: &&str| tables.iter().any(|table| table.serves(subnet) && table.leads_out());
    Ok(subnets.iter().all(leads_out))
}

fn has_nat_gateway(stack: &Stack) -> bool {
    stack.parameters.get("Egress").is_none_or(|egress| egress == "NatGateway")
}
