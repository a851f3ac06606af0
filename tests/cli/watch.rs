//! The live page, spoken to as a browser speaks, and its lines.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use crate::harness::{PATIENCE, Running, Sandbox, found, until};

/// A page that is served, and the cookie of who has its link.
struct Page {
    command: Running,
    host: String,
    /// Path and query of the link.
    link: String,
    cookie: String,
}

/// An answer, less its body's framing.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Page {
    fn open(sandbox: &Sandbox, args: &[&str]) -> Self {
        let command = Running::start(sandbox, &[&["watch", "--port", "0"], args].concat());
        let link = found("a link", || Some(link(&command.stdout())?.to_owned()));
        let (host, link) = link.split_once('/').unwrap();
        let mut page = Self { command, host: host.to_owned(), link: format!("/{link}"), cookie: String::new() };
        let answer = page.get(&page.link, &[]);
        assert_eq!(answer.status, 303, "{}", answer.head);
        let cookie = answer.header("set-cookie");
        assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
        page.cookie = cookie.split(';').next().unwrap().to_owned();
        page
    }

    fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> TcpStream {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut text = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        let has = |name: &str| headers.iter().any(|(header, _)| header.eq_ignore_ascii_case(name));
        if !has("host") {
            text.push_str(&format!("Host: {}\r\n", self.host));
        }
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(format!("{text}\r\n").as_bytes()).unwrap();
        stream
    }

    fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        Answer::read(self.request("GET", path, headers))
    }

    fn post(&self, form: &str, headers: &[(&str, &str)]) -> Answer {
        let length = form.len().to_string();
        let framing = [("Content-Type", "application/x-www-form-urlencoded"), ("Content-Length", length.as_str())];
        let mut stream = self.request("POST", "/do", &[headers, &framing].concat());
        stream.write_all(form.as_bytes()).unwrap();
        Answer::read(stream)
    }

    /// With the cookie.
    fn see(&self, path: &str) -> Answer {
        let answer = self.get(path, &[("Cookie", &self.cookie), ("Sec-Fetch-Site", "same-origin")]);
        assert_eq!(answer.status, 200, "{path}: {} {}", answer.head, answer.body);
        answer
    }

    /// What changes from now on.
    fn events(&self) -> Events {
        let stream = self.request("GET", "/events", &[("Cookie", &self.cookie)]);
        Events { lines: BufReader::new(stream), now: BTreeMap::new() }
    }
}

/// A link in what a command has printed, in its text or in its document.
fn link(output: &str) -> Option<&str> {
    let (_, link) = output.split_once("http://")?;
    link.split_once(['\n', '"']).map(|(link, _)| link)
}

impl Answer {
    fn read(mut stream: TcpStream) -> Self {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }

    fn header(&self, name: &str) -> &str {
        let start = format!("{name}: ");
        self.head.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_default()
    }
}

/// The parts of the page as they are now, by their names.
struct Events {
    lines: BufReader<TcpStream>,
    now: BTreeMap<String, String>,
}

impl Events {
    /// Reads on until a part has this text in it.
    fn wait_for(&mut self, part: &str, text: &str) -> String {
        let since = Instant::now();
        let mut name = String::new();
        loop {
            if let Some(html) = self.now.get(part).filter(|html| html.contains(text)) {
                return html.clone();
            }
            assert!(since.elapsed() < PATIENCE, "{part} has no {text}: {:#?}", self.now);
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "the stream ended before {part}: {text}");
            if let Some(event) = line.strip_prefix("event: ") {
                event.trim_end().clone_into(&mut name);
            } else if let Some(data) = line.strip_prefix("data: ") {
                self.now.insert(name.clone(), data.to_owned());
            }
        }
    }
}

#[test]
fn the_page_follows_a_run_and_says_what_comes_next() {
    let sandbox = Sandbox::with_endpoint();
    let page = Page::open(&sandbox, &[]);
    let mut events = page.events();
    events.wait_for("step", "fis-workshop up");
    sandbox.ok(&["up"]);
    events.wait_for("stacks", "CREATE_COMPLETE");
    events.wait_for("step", "fis-workshop run original");
    sandbox.ok(&["run", "original", "--detach", "--item-seconds", "0.5"]);
    events.wait_for("step", "fis-workshop interrupt --at-index 4");
    sandbox.ok(&["interrupt", "--at-index", "4"]);
    events.wait_for("experiments", "completed");
    events.wait_for("log", "Received SIGTERM");
    events.wait_for("step", "Run it again");
    sandbox.ok(&["run", "original", "--item-seconds", "0"]);
    let items = events.wait_for("items", "<strong>10</strong> of 10 items");
    assert!(items.contains("written by task 2"), "{items}");
    events.wait_for("items", "×2");
    events.wait_for("step", "items were done twice.");
    // Who comes now sees the same without a script.
    let whole = page.see("/").body;
    assert!(whole.contains("×2") && whole.contains("Starting at 0"), "{whole}");
    sandbox.ok(&["clear"]);
    events.wait_for("step", "fis-workshop run improved");
    page.command.signal("INT");
    let end = page.command.end();
    assert_eq!(end.code, 130, "{end:?}");
    assert!(end.stderr.contains("hint: Only the page has ended"), "{end:?}");
}

#[test]
fn who_has_no_cookie_or_comes_from_elsewhere_sees_nothing() {
    let sandbox = Sandbox::with_endpoint();
    let page = Page::open(&sandbox, &["--env", "secret"]);
    let cookie = ("Cookie", page.cookie.as_str());
    let refused = |path: &str, headers: &[(&str, &str)]| {
        let answer = page.get(path, headers);
        assert_eq!(answer.status, 403, "{path} {headers:?}: {}", answer.head);
        assert!(!answer.body.contains("secret"), "{}", answer.body);
        assert_eq!(answer.header("set-cookie"), "");
    };
    for path in ["/", "/events", "/script.js", "/style.css", "/nothing", "/?token=", "/?token=wrong"] {
        refused(path, &[]);
        refused(path, &[("Cookie", "fis-workshop=1")]);
    }
    for foreign in [
        ("Host", "rebound.example"),
        ("Origin", "http://evil.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ] {
        refused("/", &[cookie, foreign]);
        refused("/events", &[cookie, foreign]);
        refused(&page.link, &[foreign]);
    }
    page.see("/");
}

#[test]
fn a_press_names_a_button_and_comes_from_the_page() {
    let sandbox = Sandbox::with_endpoint();
    let page = Page::open(&sandbox, &[]);
    let origin = format!("http://{}", page.host);
    let ours = [("Cookie", page.cookie.as_str()), ("Origin", &origin), ("Sec-Fetch-Site", "same-origin")];
    assert_eq!(page.post("press=clear", &ours).status, 400, "there is no environment yet");
    sandbox.ok(&["up"]);
    let mut events = page.events();
    events.wait_for("act", "Run original");
    for wrong in
        ["", "press=down", "press=interrupt&index=-1", "press=interrupt&index=1%20--force", "press=clear%20--all"]
    {
        assert_eq!(page.post(wrong, &ours).status, 400, "{wrong}");
    }
    for headers in [&ours[..1], &ours[1..], &[ours[0], ("Origin", "http://evil.example")]] {
        assert_eq!(page.post("press=clear", headers).status, 403, "{headers:?}");
    }
    assert_eq!(page.post("press=interrupt", &ours).status, 303);
    let did = events.wait_for("did", "✗");
    assert!(did.contains("No task runs") || did.contains("no task"), "{did}");
    assert_eq!(page.post("press=clear", &ours).status, 303);
    events.wait_for("did", "Deleted 0 items");
}

#[test]
fn the_page_brings_nothing_in_line_and_may_load_nothing_but_its_own_files() {
    let sandbox = Sandbox::with_endpoint();
    let page = Page::open(&sandbox, &[]);
    for path in ["/", "/script.js", "/style.css", "/icon.svg"] {
        let answer = page.see(path);
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let html = page.see("/").body;
    assert_eq!(html.matches("<script").count(), 1, "{html}");
    assert!(html.contains(r#"<script src="/script.js" type="module"></script>"#), "{html}");
    for inline in [" style=", "<style", " onclick=", "javascript:", "https://"] {
        assert!(!html.contains(inline), "{inline}: {html}");
    }
    let secret = page.link.split('=').nth(1).unwrap();
    assert!(!html.contains(secret) && !html.contains(page.cookie.split('=').nth(1).unwrap()), "{html}");
}

#[test]
fn where_there_is_no_terminal_each_change_is_a_line() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    let watch = Running::start(&sandbox, &["watch"]);
    watch.wait_for("next: `fis-workshop run original --item-seconds 5");
    sandbox.ok(&["run", "original", "--item-seconds", "0", "--batch-size", "10"]);
    watch.wait_for("| Successfully PUT item 9 out of 10 into DDB");
    watch.wait_for("items 10 of 10");
    watch.wait_for("original STOPPED, exit code 0");
    sandbox.ok(&["down"]);
    watch.wait_for("stack FisStopTaskStack is not set up");
    watch.signal("TERM");
    let end = watch.end();
    assert_eq!(end.code, 143, "{end:?}");
    assert_eq!(end.stdout.matches("| Successfully PUT item 9 ").count(), 1, "{end:?}");
    assert!(!end.stdout.contains("http://"), "{end:?}");
}

#[test]
fn an_environment_that_was_meant_otherwise_is_named_at_once() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up", "--env", "seat-07"]);
    let run = sandbox.run(&["watch", "--env", "seat-7"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("hint: Did you mean `--env seat-07`?"), "{run:?}");
    let run = sandbox.run(&["watch", "--plain", "--output", "json"]);
    assert_eq!(run.code, 2, "{run:?}");
}

#[test]
fn an_endpoint_that_is_gone_is_said_on_the_page() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    let page = Page::open(&sandbox, &["--output", "json"]);
    let mut events = page.events();
    events.wait_for("step", "fis-workshop run original");
    sandbox.ok(&["local", "stop"]);
    events.wait_for("problem", "class=\"problem\"");
    until("the page still stands", || page.see("/").body.contains("class=\"problem\""));
}
