//! The proxy: one connection to the endpoint for each connection of the deployer, request by request.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::Call;
use super::fault::{self, Answer, Fault, SLOW};
use crate::harness::{Run, Sandbox};

/// Which fault befalls a call, if any.
type Plan = Box<dyn FnMut(&Call) -> Option<Fault> + Send>;

/// In front of the endpoint of one sandbox.
pub(crate) struct Proxy {
    address: SocketAddr,
    variables: BTreeMap<String, String>,
    shared: Arc<Shared>,
    _runtime: tokio::runtime::Runtime,
}

struct Shared {
    upstream: String,
    calls: Mutex<Vec<Call>>,
    plan: Mutex<Plan>,
    answers: Mutex<Vec<Answer>>,
}

impl Shared {
    /// The answer in the endpoint's place that the script has for the call.
    fn scripted(&self, call: &Call) -> Option<Answer> {
        let mut answers = self.answers.lock().unwrap();
        let index = answers.iter().position(|answer| answer.is_for(call))?;
        Some(answers.remove(index))
    }
}

impl Proxy {
    /// In front of the endpoint of `sandbox`, without faults.
    pub(crate) fn of(sandbox: &Sandbox) -> Self {
        let variables = sandbox.variables();
        let upstream = variables["AWS_ENDPOINT_URL"].trim_start_matches("http://").to_owned();
        let plan: Mutex<Plan> = Mutex::new(Box::new(|_| None));
        let shared = Arc::new(Shared { upstream, calls: Mutex::default(), plan, answers: Mutex::default() });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let of_connections = Arc::clone(&shared);
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let shared = Arc::clone(&of_connections);
                // An error is the end of the connection, on either side.
                tokio::spawn(async move { serve(client, &shared).await.ok() });
            }
        });
        Self { address, variables, shared, _runtime: runtime }
    }

    /// A command with `--target aws` whose AWS is behind the proxy, and without anybody to ask.
    pub(crate) fn command(&self, sandbox: &Sandbox, args: &[&str]) -> Command {
        let mut command = sandbox.command(args);
        command.envs(&self.variables).env("AWS_ENDPOINT_URL", self.url());
        command
            .env("FIS_WORKSHOP_TARGET", "aws")
            .env("FIS_WORKSHOP_YES", "true")
            .env("AWS_EC2_METADATA_DISABLED", "true");
        command
    }

    /// From now on, calls meet what `plan` says.
    pub(crate) fn plan(&self, plan: impl FnMut(&Call) -> Option<Fault> + Send + 'static) {
        *self.shared.plan.lock().unwrap() = Box::new(plan);
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers in the endpoint's place: each goes to the first call that it is for.
    pub(crate) fn answer(&self, answers: Vec<Answer>) {
        *self.shared.answers.lock().unwrap() = answers;
    }

    /// What a command leaves, once it has got all of these answers.
    pub(crate) fn scripted(&self, sandbox: &Sandbox, args: &[&str], answers: Vec<Answer>) -> Run {
        self.answer(answers);
        let run = Run::of(self.command(sandbox, args).output().unwrap());
        let left: Vec<_> = self.shared.answers.lock().unwrap().iter().map(|answer| answer.to).collect();
        assert!(left.is_empty(), "nobody asked for {left:?}: {run:?}");
        run
    }

    /// The calls since the last time that somebody asked.
    pub(crate) fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut *self.shared.calls.lock().unwrap())
    }
}

async fn serve(mut client: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut endpoint = TcpStream::connect(&shared.upstream).await?;
    for stream in [&client, &endpoint] {
        stream.set_nodelay(true)?;
    }
    while let Some(message) = read(&mut client).await? {
        let call = Call::of(&request(&message));
        let fault = (shared.plan.lock().unwrap())(&call);
        shared.calls.lock().unwrap().push(call.clone());
        if fault == Some(Fault::ResetBefore) {
            return client.set_zero_linger();
        }
        let scripted = shared.scripted(&call).map(|answer| answer.response());
        if let Some(answer) = scripted.or_else(|| fault::response(fault?, &call)) {
            client.write_all(&answer).await?;
            continue;
        }
        // Byte for byte: the signature covers the Host header, and the endpoint takes any port of 127.0.0.1.
        endpoint.write_all(&message).await?;
        let answer = read(&mut endpoint).await?.ok_or(std::io::ErrorKind::UnexpectedEof)?;
        match fault {
            Some(Fault::ResetAfter) => return client.set_zero_linger(),
            Some(Fault::Slow) => tokio::time::sleep(SLOW).await,
            _ => {}
        }
        client.write_all(&answer).await?;
    }
    Ok(())
}

/// One HTTP message, head and body; `None` when the other side has closed the connection.
async fn read(stream: &mut TcpStream) -> std::io::Result<Option<Vec<u8>>> {
    let mut message = Vec::new();
    let body = loop {
        if stream.read_buf(&mut message).await? == 0 {
            return Ok(None);
        }
        if let Some(end) = message.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let head = String::from_utf8_lossy(&message[..body]).to_ascii_lowercase();
    assert!(!head.contains("transfer-encoding"), "a body of unknown length: {head}");
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length:")).map_or(0, |n| n.trim().parse().unwrap());
    while message.len() < body + length {
        if stream.read_buf(&mut message).await? == 0 {
            return Ok(None);
        }
    }
    Ok(Some(message))
}

fn request(message: &[u8]) -> http::Request<Vec<u8>> {
    let end = message.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&message[..end]);
    let mut lines = head.lines();
    let mut first = lines.next().unwrap().split(' ');
    let mut request = http::Request::builder().method(first.next().unwrap()).uri(first.next().unwrap());
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        request = request.header(name, value.trim());
    }
    request.body(message[end + 4..].to_vec()).unwrap()
}
