//! Debian's docker-registry on a free port, and a proxy before it that breaks requests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

/// A registry that ends with the test.
pub(super) struct Registry {
    process: Child,
    pub(super) host: String,
    directory: tempfile::TempDir,
}

/// `user` and `secret`, as the registry wants them.
const HTPASSWD: &str = "user:$2b$04$.VtBJJZfn5K7mlEFPXTHquq0Tgbr84azOZ9BUjnULU8bwIu75dZ1y\n";

impl Registry {
    pub(super) fn open() -> Self {
        Self::start("")
    }

    /// For `user` with the password `secret`.
    pub(super) fn closed() -> Self {
        Self::start("auth:\n  htpasswd:\n    realm: test\n    path: PATH/htpasswd\n")
    }

    fn start(auth: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().display().to_string();
        let config = format!(
            "version: 0.1\nlog:\n  level: info\nstorage:\n  filesystem:\n    rootdirectory: PATH/data\n\
             http:\n  addr: 127.0.0.1:0\n  secret: test\n{auth}"
        );
        std::fs::write(directory.path().join("config.yml"), config.replace("PATH", &path)).unwrap();
        std::fs::write(directory.path().join("htpasswd"), HTPASSWD).unwrap();
        let access_log = std::fs::File::create(directory.path().join("access.log")).unwrap();
        let mut process = super::tool("docker-registry")
            .args(["serve", &directory.path().join("config.yml").display().to_string()])
            .stdout(access_log)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let listening = lines.by_ref().map(Result::unwrap).find(|line| line.contains("listening on ")).unwrap();
        let host = listening.split("listening on ").nth(1).unwrap().split('"').next().unwrap().to_owned();
        // It would wait for a reader of its log.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, host, directory }
    }

    /// How many requests of this kind it has had.
    pub(super) fn requests(&self, start: &str) -> usize {
        let log = std::fs::read_to_string(self.path().join("access.log")).unwrap();
        log.lines().filter(|line| line.contains(&format!("\"{start}"))).count()
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    /// The connection is reset before the request is read to its end.
    Reset,
    /// This answer, and the registry never sees the request.
    Answer(&'static str),
    /// The registry does what it is asked, but this is the answer.
    Masked(&'static str),
}

/// Every request whose first line starts with the text suffers the fault, the given number of times.
pub(super) type Plan = Vec<(&'static str, usize, Fault)>;

/// Host of a proxy to `registry` that lives as long as the test.
pub(super) fn faulty(registry: &Registry, plan: Plan) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let (upstream, plan) = (registry.host.clone(), Arc::new(Mutex::new(plan)));
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (upstream, plan) = (upstream.clone(), Arc::clone(&plan));
            std::thread::spawn(move || serve(client.unwrap(), &upstream, &plan));
        }
    });
    host
}

fn next(plan: &Mutex<Plan>, head: &str) -> Option<Fault> {
    let mut plan = plan.lock().unwrap();
    let (_, left, fault) = plan.iter_mut().find(|(start, left, _)| *left > 0 && head.starts_with(start))?;
    *left -= 1;
    Some(*fault)
}

/// One request on each connection: the registry is asked to close it after its answer.
fn serve(client: TcpStream, upstream: &str, plan: &Mutex<Plan>) {
    let mut reader = BufReader::new(client.try_clone().unwrap());
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
        if !lower.starts_with("connection:") {
            head.push_str(&line);
        }
    }
    let fault = next(plan, &head);
    if matches!(fault, Some(Fault::Reset)) {
        // The kernel resets a connection that is closed with data unread; without a body, it is just closed.
        return;
    }
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let mut answer = Vec::new();
    if !matches!(fault, Some(Fault::Answer(_))) {
        let mut registry = TcpStream::connect(upstream).unwrap();
        write!(registry, "{head}Connection: close\r\n\r\n").unwrap();
        registry.write_all(&body).unwrap();
        registry.read_to_end(&mut answer).unwrap();
    }
    if let Some(Fault::Answer(text) | Fault::Masked(text)) = fault {
        answer = text.as_bytes().to_vec();
    }
    let mut client = client;
    // A client that has gone has seen enough.
    let _ = client.write_all(&answer);
}

/// A whole answer of a registry.
macro_rules! answer {
    ($status:literal, $body:literal) => {
        concat!("HTTP/1.1 ", $status, "\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n", $body)
    };
}
pub(super) use answer;
