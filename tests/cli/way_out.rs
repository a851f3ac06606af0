//! From this machine to AWS: proxies, certificates, connections that have died, and credentials of each kind.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc;

use crate::harness::{PATIENCE, Run, Sandbox, judge};

/// What a server says that speaks AWS's query protocol and refuses.
const REFUSAL: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>\
                       <Message>User: arn:aws:iam::123456789012:user/u is not authorized to perform: ACTION</Message>\
                       </Error></ErrorResponse>";

/// A command for AWS, with a key pair of nobody.
fn command(sandbox: &Sandbox) -> Command {
    let mut command = without_keys(sandbox);
    command.env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE").env("AWS_SECRET_ACCESS_KEY", "secret");
    command
}

fn without_keys(sandbox: &Sandbox) -> Command {
    let mut command = sandbox.command(&["plan", "--target", "aws", "--region", "eu-west-1"]);
    command.env("AWS_MAX_ATTEMPTS", "2").env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

fn run(command: &mut Command) -> Run {
    Run::of(command.output().unwrap())
}

/// The first line and the headers of a request; its body is left where it is.
fn head(stream: &TcpStream) -> String {
    let lines = BufReader::new(stream).lines().map(Result::unwrap);
    lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

fn answer(mut stream: TcpStream, status: &str, body: &str) {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all((head + body).as_bytes()).unwrap();
    // What the other side still sends must not make an error of the answer.
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let _ = stream.read_to_end(&mut Vec::new());
}

fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

#[test]
fn the_proxy_of_the_environment_is_used() {
    let (listener, address) = listen();
    let (asked, heads) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map(Result::unwrap) {
            let _ = asked.send(head(&stream));
            answer(stream, "403 Forbidden", "");
        }
    });
    let sandbox = Sandbox::new();
    let run = run(command(&sandbox).env("HTTPS_PROXY", format!("http://{address}")));
    assert_eq!(run.code, 1, "{run:?}");
    let head = heads.recv_timeout(PATIENCE).unwrap();
    assert!(head.starts_with("CONNECT cloudformation.eu-west-1.amazonaws.com:443 "), "{head}");
}

#[test]
fn what_needs_no_proxy_goes_without_one() {
    let (listener, address) = listen();
    std::thread::spawn(move || {
        for stream in listener.incoming().map(Result::unwrap) {
            head(&stream);
            answer(stream, "403 Forbidden", REFUSAL);
        }
    });
    // Nobody listens there any more.
    let nowhere = listen().1;
    let sandbox = Sandbox::new();
    let mut command = command(&sandbox);
    command.env("AWS_ENDPOINT_URL", format!("http://{address}")).env("HTTP_PROXY", format!("http://{nowhere}"));
    let refused = run(&mut command);
    assert!(!refused.stderr.contains("AccessDenied"), "{refused:?}");
    let run = run(command.env("NO_PROXY", "127.0.0.1"));
    assert!(run.stderr.contains("AccessDenied"), "{run:?}");
}

/// A laptop that slept, a VPN that changed: the connection is there, and nothing comes.
#[test]
fn a_connection_that_has_died_is_given_up_and_tried_again() {
    let (listener, address) = listen();
    std::thread::spawn(move || {
        let mut silent = Vec::new();
        for stream in listener.incoming().map(Result::unwrap) {
            head(&stream);
            match silent.is_empty() {
                true => silent.push(stream),
                false => answer(stream, "403 Forbidden", REFUSAL),
            }
        }
    });
    let sandbox = Sandbox::new();
    let run = run(command(&sandbox).env("AWS_ENDPOINT_URL", format!("http://{address}")));
    assert!(run.stderr.contains("AccessDenied"), "{run:?}");
}

/// A server with a certificate of its own; prints where it listens.
const TLS_SERVER: &str = r#"
import datetime, http.server, ipaddress, ssl, sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

key = ec.generate_private_key(ec.SECP256R1())
name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "proxy of a company")])
now = datetime.datetime.now(datetime.timezone.utc)
here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
    .not_valid_after(now + datetime.timedelta(hours=1)).add_extension(here, critical=False).sign(key, hashes.SHA256()))
with open("certificate.pem", "wb") as file:
    file.write(certificate.public_bytes(serialization.Encoding.PEM))
with open("key.pem", "wb") as file:
    file.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))

class Refusal(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        body = sys.argv[1].encode()
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusal)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("certificate.pem", "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
"#;

#[test]
fn the_certificates_of_a_company_are_trusted_where_the_aws_cli_trusts_them() {
    let sandbox = Sandbox::new();
    let mut python = Command::new(judge("python"));
    python.env_clear().current_dir(sandbox.path()).args(["-c", TLS_SERVER, REFUSAL]);
    let mut server = python.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut port = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let url = format!("https://127.0.0.1:{}", port.trim());
    let plan = || {
        let mut command = command(&sandbox);
        command.env("AWS_ENDPOINT_URL", &url);
        command
    };
    let stranger = run(&mut plan());
    let variable = run(plan().env("AWS_CA_BUNDLE", sandbox.path().join("certificate.pem")));
    std::fs::create_dir(sandbox.path().join(".aws")).unwrap();
    let profile = "[default]\nca_bundle = certificate.pem\n";
    std::fs::write(sandbox.path().join(".aws/config"), profile).unwrap();
    let profile = run(&mut plan());
    let broken = run(plan().env("AWS_CA_BUNDLE", sandbox.path().join("key.pem")));
    let missing = run(plan().env("AWS_CA_BUNDLE", "nowhere.pem"));
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(!stranger.stderr.contains("AccessDenied") && stranger.stderr.contains("certificate"), "{stranger:?}");
    assert!(variable.stderr.contains("AccessDenied"), "{variable:?}");
    assert!(profile.stderr.contains("AccessDenied"), "{profile:?}");
    assert_eq!((broken.code, missing.code), (2, 2), "{broken:?} {missing:?}");
    assert!(missing.stderr.contains("The certificates in nowhere.pem cannot be used."), "{missing:?}");
}

/// Each with the one command that helps.
#[test]
fn credentials_that_are_missing_say_how_to_get_them() {
    let (listener, address) = listen();
    std::thread::spawn(move || {
        for stream in listener.incoming().map(Result::unwrap) {
            head(&stream);
            answer(stream, "403 Forbidden", &REFUSAL.replace("ACTION", "sts:AssumeRole on resource: R"));
        }
    });
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path().join(".aws")).unwrap();
    std::fs::write(sandbox.path().join(".aws/config"), PROFILES).unwrap();
    let report = |profile: &str| {
        let mut command = without_keys(&sandbox);
        let run = run(command.args(["--profile", profile]).env("AWS_ENDPOINT_URL_STS", format!("http://{address}")));
        assert_ne!(run.code, 0, "{run:?}");
        run.stderr
    };
    for (profile, help) in [
        ("sso", "`aws sso login`"),
        ("login", "`aws login`"),
        ("mfa", "aws configure export-credentials"),
        ("empty", "`aws configure`"),
        ("nope", "There are default, empty, login, mfa, source, sso;"),
    ] {
        let report = report(profile);
        assert!(report.contains(help), "{profile}: {report}");
        assert!(!report.contains("Check the network connection"), "{profile}: {report}");
    }
}

const PROFILES: &str = "
[default]
region = eu-west-1

[profile empty]
region = eu-west-1

[profile sso]
sso_session = company
sso_account_id = 123456789012
sso_role_name = Workshop

[sso-session company]
sso_region = eu-west-1
sso_start_url = https://company.example.com/start

[profile login]
login_session = arn:aws:iam::123456789012:user/u

[profile source]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = secret

[profile mfa]
role_arn = arn:aws:iam::123456789012:role/Admin
source_profile = source
mfa_serial = arn:aws:iam::123456789012:mfa/u
";
