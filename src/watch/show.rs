//! From looks to viewers.

use std::convert::Infallible;

use super::lines::lines;
use super::look::{look, pause};
use super::page::Page;
use super::server::{Server, Shown};
use crate::aws::clients::Clients;
use crate::environment::Environment;
use crate::error::Result;
use crate::place::Place;
use crate::ui::Ui;

/// What is watched, and with which flags commands name it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) clients: &'a Clients,
    pub(crate) environment: &'a Environment,
    pub(crate) place: &'a Place,
}

/// Serves the page on `port` (0: any); `ready` gets its link.
///
/// # Errors
/// When the port is taken, or the environment cannot be read at first.
pub(crate) async fn in_browser(
    subject: Subject<'_>,
    port: u16,
    ready: impl FnOnce(&str) -> Result<()>,
) -> Result<Infallible> {
    let Subject { clients, environment, place } = subject;
    let server = Server::bind(port).await?;
    let mut page = Page::of(&look(clients, environment).await?, place);
    let shown = Shown::new(page.clone(), place.clone());
    ready(&server.link)?;
    let follow = async {
        loop {
            shown.viewer().await;
            match look(clients, environment).await {
                Ok(seen) => page = Page::of(&seen, place),
                Err(error) => page = page.with_problem(&error.told(clients.target), place),
            }
            shown.show(page.clone());
            tokio::time::sleep(pause(clients.place)).await;
        }
    };
    tokio::select! {
        ended = server.serve(shown.clone()) => ended,
        never = follow => never,
    }
}

/// Tells what changes in lines on stdout.
///
/// # Errors
/// When the environment cannot be read at first, or nobody reads the lines any more.
pub(crate) async fn in_lines(subject: Subject<'_>, ui: &Ui) -> Result<Infallible> {
    let Subject { clients, environment, place } = subject;
    let mut last = look(clients, environment).await?;
    let mut new = lines(None, &last);
    let mut problem = String::new();
    loop {
        new.iter().try_for_each(|line| ui.data(&place.complete(line)))?;
        tokio::time::sleep(pause(clients.place)).await;
        match look(clients, environment).await {
            Ok(seen) => {
                new = lines(Some(&last), &seen);
                last = seen;
                problem.clear();
            }
            Err(error) => {
                let text = error.told(clients.target);
                new = if text == problem { Vec::new() } else { vec![format!("problem: {text}")] };
                problem = text;
            }
        }
    }
}
