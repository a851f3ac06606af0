//! The page, its files, and its events.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use futures_util::{Stream, stream};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

use super::act::{self, Did};
use super::guard::{Guard, guard};
use super::page::{self, Page};
use crate::error::{Error, Result};
use crate::place::Place;

/// What is shown now, and who is told of it.
#[derive(Debug)]
pub(super) struct Shown {
    now: watch::Sender<Arc<Page>>,
    /// Somebody has begun to look.
    arrival: Notify,
    place: Place,
}

impl Shown {
    pub(super) fn new(page: Page, place: Place) -> Arc<Self> {
        let now = watch::Sender::new(Arc::new(page));
        Arc::new(Self { now, arrival: Notify::new(), place })
    }

    /// From now on, this is shown. Viewers are told if it is something else.
    pub(super) fn show(&self, page: Page) {
        self.now.send_if_modified(|now| {
            let page = page.after(now);
            let is_new = **now != page;
            if is_new {
                *now = Arc::new(page);
            }
            is_new
        });
    }

    /// Shows that a button's command is at work, unless another one is.
    fn begin(&self, command: &str) -> bool {
        let html = Did::AtWork.show(command, &self.place).into_string();
        self.now.send_if_modified(|now| {
            let may_begin = !now.is_busy;
            if may_begin {
                *now = Arc::new(now.with_did(&html, true));
            }
            may_begin
        })
    }

    /// Does what a button is for, and shows what comes of it.
    async fn carry_out(&self, command: &str) {
        let html = act::carry_out(command).await.show(command, &self.place).into_string();
        self.now.send_modify(|now| *now = Arc::new(now.with_did(&html, false)));
    }

    /// Waits until somebody looks: nobody's page costs nothing.
    pub(super) async fn viewer(&self) {
        while self.now.receiver_count() == 0 {
            self.arrival.notified().await;
        }
    }
}

/// A page that is not served yet.
#[derive(Debug)]
pub(super) struct Server {
    listener: TcpListener,
    guard: Arc<Guard>,
    /// With the token.
    pub(super) link: String,
}

impl Server {
    /// Takes the port (0: any) on loopback.
    ///
    /// # Errors
    /// When it is taken.
    pub(super) async fn bind(port: u16) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::failed(format!("The port {port} cannot be used for the page."))
                .cause(error)
                .hint("Another one with `--port`, or any free one without it.")
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let guard = Guard::new(address.port());
        let link = format!("http://{address}/?{}", guard.query());
        Ok(Self { listener, guard: Arc::new(guard), link })
    }

    /// Serves what is shown, until it is dropped.
    ///
    /// # Errors
    /// When the server fails.
    pub(super) async fn serve(self, shown: Arc<Shown>) -> Result<Infallible> {
        let file = |content_type: &'static str, text: &'static str| {
            get(move || async move { ([(CONTENT_TYPE, content_type)], text) })
        };
        let app = Router::new()
            .route("/", get(whole))
            .route("/events", get(events))
            .route("/do", post(press))
            .route("/style.css", file("text/css; charset=utf-8", include_str!("style.css")))
            .route("/script.js", file("text/javascript; charset=utf-8", include_str!("script.js")))
            .route("/icon.svg", file("image/svg+xml", include_str!("icon.svg")))
            .layer(middleware::from_fn_with_state(self.guard, guard))
            .with_state(shown);
        let ended = axum::serve(self.listener, app).await;
        let error = Error::failed("The page is not served any more.");
        Err(ended.err().map_or(error.clone(), |cause| error.cause(cause)))
    }
}

async fn whole(State(shown): State<Arc<Shown>>) -> impl IntoResponse {
    let page = Arc::clone(&shown.now.borrow());
    Html(page::whole(&page).into_string())
}

/// A button. The page tells what comes of it, and one thing is done after the other.
async fn press(State(shown): State<Arc<Shown>>, form: String) -> Response {
    let command = shown.now.borrow().pressed(&form);
    let Some(command) = command else {
        return (StatusCode::BAD_REQUEST, "The page has no such button.\n").into_response();
    };
    if !shown.begin(&command) {
        return (StatusCode::CONFLICT, "Another command of this page is at work.\n").into_response();
    }
    tokio::spawn(async move { shown.carry_out(&command).await });
    Redirect::to("/").into_response()
}

/// Every part of the page as it is now, then each part that has changed.
async fn events(State(shown): State<Arc<Shown>>) -> Sse<impl Stream<Item = std::result::Result<Event, Infallible>>> {
    let mut now = shown.now.subscribe();
    now.mark_changed();
    shown.arrival.notify_one();
    let changes = stream::unfold((now, None::<Arc<Page>>), |(mut now, before)| async move {
        // It ends with the command.
        now.changed().await.ok()?;
        let page = Arc::clone(&now.borrow_and_update());
        let changed: Vec<_> = page.changed(before.as_deref()).map(event).collect();
        Some((stream::iter(changed), (now, Some(page))))
    });
    Sse::new(futures_util::StreamExt::flatten(changes)).keep_alive(KeepAlive::default())
}

fn event((part, html): (&'static str, &str)) -> std::result::Result<Event, Infallible> {
    Ok(Event::default().event(part).data(html))
}
