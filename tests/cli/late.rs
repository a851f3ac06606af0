//! What AWS does and a machine does not: no capacity, tasks and tags that are visible late, a network that is still being
//! made. The endpoint answers through a proxy that now and then answers first, in AWS's words.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::harness::{Run, Sandbox};

/// An answer in the endpoint's place, once: to the first request that has this text in it.
struct Answer {
    to: &'static str,
    status: u16,
    code: &'static str,
    body: String,
}

fn answer(to: &'static str, body: &Value) -> Answer {
    Answer { to, status: 200, code: "", body: body.to_string() }
}

/// In front of the endpoint of a sandbox.
struct Proxy {
    address: SocketAddr,
    variables: Value,
    answers: Arc<Mutex<Vec<Answer>>>,
}

impl Proxy {
    fn of(sandbox: &Sandbox, answers: Vec<Answer>) -> Self {
        let variables = sandbox.json(&["local", "env"]);
        let upstream = variables["AWS_ENDPOINT_URL"].as_str().unwrap().trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answers = Arc::new(Mutex::new(answers));
        let shared = Arc::clone(&answers);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (shared, upstream) = (Arc::clone(&shared), upstream.clone());
                // An error is the end of the connection, on either side.
                std::thread::spawn(move || serve(client, &upstream, &shared).ok());
            }
        });
        Self { address, variables, answers }
    }

    /// A command as in an account: nothing in it knows of the proxy.
    fn command(&self, sandbox: &Sandbox, args: &[&str]) -> Command {
        let mut command = sandbox.command(args);
        for (name, value) in self.variables.as_object().unwrap() {
            command.env(name, value.as_str().unwrap());
        }
        command.env("AWS_ENDPOINT_URL", format!("http://{}", self.address)).env("FIS_WORKSHOP_TARGET", "aws");
        command
    }

    /// What the command leaves, once it has got all answers of the script.
    fn run(&self, sandbox: &Sandbox, args: &[&str]) -> Run {
        let run = Run::of(self.command(sandbox, args).output().unwrap());
        let left: Vec<_> = self.answers.lock().unwrap().iter().map(|answer| answer.to).collect();
        assert!(left.is_empty(), "nobody asked for {left:?}: {run:?}");
        run
    }
}

fn serve(mut client: TcpStream, upstream: &str, answers: &Mutex<Vec<Answer>>) -> std::io::Result<()> {
    let mut endpoint = TcpStream::connect(upstream)?;
    while let Some(request) = message(&mut client)? {
        let text = String::from_utf8_lossy(&request);
        let first = {
            let mut answers = answers.lock().unwrap();
            let found = answers.iter().position(|answer| text.contains(answer.to));
            found.map(|index| answers.remove(index))
        };
        if let Some(Answer { status, code, body, .. }) = first {
            let code = if code.is_empty() { String::new() } else { format!("x-amzn-ErrorType: {code}\r\n") };
            let head = format!("HTTP/1.1 {status} X\r\n{code}Content-Length: {}\r\n\r\n", body.len());
            client.write_all(&[head, body].concat().into_bytes())?;
            continue;
        }
        // Byte for byte: the signature covers the Host header, and the endpoint takes any port of 127.0.0.1.
        endpoint.write_all(&request)?;
        let answer = message(&mut endpoint)?.ok_or(std::io::ErrorKind::UnexpectedEof)?;
        client.write_all(&answer)?;
    }
    Ok(())
}

/// One HTTP message, head and body; `None` when the other side has closed the connection.
fn message(stream: &mut TcpStream) -> std::io::Result<Option<Vec<u8>>> {
    let mut message = Vec::new();
    let mut buffer = [0; 65536];
    loop {
        if let Some(end) = message.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&message[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if message.len() >= end + 4 + length {
                return Ok(Some(message));
            }
        }
        match stream.read(&mut buffer)? {
            0 => return Ok(None),
            read => message.extend_from_slice(&buffer[..read]),
        }
    }
}

const EMPTY: &str = "Target resolution returned empty set";

#[test]
fn no_capacity_a_missing_task_and_a_log_that_is_not_there_yet_are_waited_for() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    let reason = "Capacity is unavailable at this time. Please try again later or in a different availability zone";
    let missing = json!({"tasks": [], "failures": [{"arn": "a", "reason": "MISSING"}]});
    let no_stream =
        json!({"__type": "ResourceNotFoundException", "message": "The specified log stream does not exist."});
    let proxy = Proxy::of(
        &sandbox,
        vec![
            answer("V20141113.RunTask", &json!({"tasks": [], "failures": [{"reason": reason}]})),
            // The tasks that `run` lists first are none, so the first to be described is the one that it started.
            answer("V20141113.DescribeTasks", &missing),
            answer("V20141113.DescribeTasks", &missing),
            Answer { status: 400, ..answer("Logs_20140328.GetLogEvents", &no_stream) },
        ],
    );
    let run = proxy.run(&sandbox, &["run", "original", "--item-seconds", "0.05"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains(&format!("{reason}. Trying again.\n")), "{run:?}");
    assert!(run.stdout.starts_with("Starting batch job\n"), "{run:?}");
    assert!(run.stdout.ends_with("Successfully PUT item 9 out of 10 into DDB\n"), "{run:?}");
    sandbox.ok(&["down"]);
}

#[test]
fn a_first_experiment_makes_the_role_and_one_that_finds_no_target_yet_is_repeated() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    sandbox.ok(&["run", "original", "--detach"]);
    let denied = "User: x is not authorized to perform: iam:CreateServiceLinkedRole on resource: y";
    let role = "<CreateServiceLinkedRoleResponse><CreateServiceLinkedRoleResult/></CreateServiceLinkedRoleResponse>";
    let state = json!({"status": "failed", "reason": EMPTY, "error": {"code": "InvalidTarget"}});
    let proxy = Proxy::of(
        &sandbox,
        vec![
            Answer {
                status: 403,
                code: "AccessDeniedException",
                ..answer("POST /experiments ", &json!({"message": denied}))
            },
            Answer { body: role.to_owned(), ..answer("Action=CreateServiceLinkedRole", &Value::Null) },
            answer("POST /experiments ", &json!({"experiment": {"id": "EXPempty"}})),
            answer("GET /experiments/EXPempty", &json!({"experiment": {"id": "EXPempty", "state": state}})),
        ],
    );
    let run = proxy.run(&sandbox, &["interrupt"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains("no role AWSServiceRoleForFIS yet: creating it"), "{run:?}");
    assert!(run.stderr.contains("FIS does not find the task by its tag yet: trying again"), "{run:?}");
    assert!(run.stdout.contains("was stopped before it had written anything (exit code 143)"), "{run:?}");
    sandbox.ok(&["down"]);
}

#[test]
fn a_network_that_is_still_being_made_is_waited_for() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    // By name instead of an ARN: so the events that follow are those of the stack that is there.
    let busy = "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>FisStackVpc</StackName>\
        <StackId>FisStackVpc</StackId><StackStatus>CREATE_IN_PROGRESS</StackStatus>\
        <CreationTime>2026-01-01T00:00:00Z</CreationTime></member></Stacks></DescribeStacksResult></DescribeStacksResponse>";
    let answers = vec![Answer { body: busy.to_owned(), ..answer("StackName=FisStackVpc", &Value::Null) }];
    let proxy = Proxy::of(&sandbox, answers);
    let run = proxy.run(&sandbox, &["run", "original", "--detach"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.stderr.contains("The network is still being made; the task is started when it is complete."),
        "{run:?}"
    );
    assert!(run.stderr.contains("NatGateway CREATE_COMPLETE (AWS::EC2::NatGateway)"), "{run:?}");
    sandbox.ok(&["down"]);
}
