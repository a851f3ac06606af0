//! Lambda's runtime API: hands calls to a function, and takes its answers.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use serde_json::Value;
use tokio::sync::{Mutex as AsyncMutex, mpsc, watch};

use crate::lab::Lab;

/// Its number and payload.
type Call = (u64, String);

pub(crate) struct Lambda {
    calls: mpsc::UnboundedSender<Call>,
    waiting: AsyncMutex<mpsc::UnboundedReceiver<Call>>,
    number: AtomicU64,
    over: watch::Sender<()>,
    answers: Mutex<Vec<(u64, Result<(), String>)>>,
}

impl Default for Lambda {
    fn default() -> Self {
        let (calls, waiting) = mpsc::unbounded_channel();
        let waiting = AsyncMutex::new(waiting);
        Self { calls, waiting, number: AtomicU64::new(1), over: watch::channel(()).0, answers: Mutex::default() }
    }
}

impl Lambda {
    pub(crate) async fn next(&self) -> Call {
        self.waiting.lock().await.recv().await.unwrap()
    }

    pub(crate) fn over(&self, id: u64, outcome: &str, body: String) {
        let answer = if outcome == "response" { Ok(()) } else { Err(body) };
        self.answers.lock().unwrap().push((id, answer));
        self.over.send_replace(());
    }

    /// Enqueues a call; whichever process asks next gets it.
    pub(crate) fn call(&self, payload: &Value) -> u64 {
        let id = self.number.fetch_add(1, Ordering::SeqCst);
        self.calls.send((id, payload.to_string())).unwrap();
        id
    }

    fn answer(&self, id: u64) -> Option<Result<(), String>> {
        let answers = self.answers.lock().unwrap();
        answers.iter().find(|(call, _)| *call == id).map(|(_, answer)| answer.clone())
    }
}

impl Lab {
    /// Calls the function, and waits for its answer.
    pub(crate) fn call(&self, payload: &Value) -> Result<(), String> {
        self.answer(self.shared.lambda.call(payload))
    }

    pub(crate) fn answer(&self, id: u64) -> Result<(), String> {
        let lambda = &self.shared.lambda;
        let mut over = lambda.over.subscribe();
        self.within(async {
            loop {
                if let Some(answer) = lambda.answer(id) {
                    return answer;
                }
                over.changed().await.unwrap();
            }
        })
    }
}
