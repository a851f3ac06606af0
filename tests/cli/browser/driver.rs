//! Debian's Chromium, driven as a person would.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use fantoccini::wd::{Capabilities, PrintConfiguration, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::Url;
use serde_json::{Value, json};

use crate::harness::PATIENCE;
use crate::workers::{npm, tool};

/// One browser with one window; it ends with the test.
pub(super) struct Browser {
    runtime: tokio::runtime::Runtime,
    driver: Client,
    server: Child,
    /// Its profile.
    _directory: tempfile::TempDir,
}

impl Browser {
    pub(super) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut server = Command::new(tool("chromedriver"));
        let mut server = server.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(server.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = |line: String| Some(line.split_once("successfully on port ")?.1.trim_end_matches('.').to_owned());
        let port = { lines }.find_map(port).expect("a port of chromedriver");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities(directory.path()));
        let driver = runtime.block_on(builder.connect(&format!("http://127.0.0.1:{port}"))).unwrap();
        Self { runtime, driver, server, _directory: directory }
    }

    pub(super) fn open(&self, url: &str) {
        self.runtime.block_on(self.driver.goto(url)).unwrap();
    }

    /// What a function without arguments returns in the page.
    pub(super) fn run(&self, body: &str) -> Value {
        self.runtime.block_on(self.driver.execute(body, Vec::new())).unwrap()
    }

    /// The text that a reader sees of the first element.
    pub(super) fn text(&self, css: &str) -> String {
        let script = format!("return document.querySelector({})?.innerText ?? ''", json!(css));
        self.run(&script).as_str().unwrap().to_owned()
    }

    /// Waits until a reader sees `text` in it.
    pub(super) fn wait_for(&self, css: &str, text: &str) {
        let since = Instant::now();
        while !self.text(css).contains(text) {
            assert!(since.elapsed() < PATIENCE, "{css} has no {text}: {}", self.text(css));
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }

    /// Presses the mouse on the first element.
    pub(super) fn click(&self, css: &str) {
        let element = self.runtime.block_on(self.driver.find(Locator::Css(css))).unwrap();
        self.runtime.block_on(element.click()).unwrap();
    }

    /// A window of this width; `scheme` is `light` or `dark`.
    pub(super) fn look(&self, width: u32, scheme: &str) {
        let size = json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false});
        self.command("Emulation.setDeviceMetricsOverride", size);
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.command("Emulation.setEmulatedMedia", media);
    }

    fn command(&self, method: &str, parameters: Value) {
        self.extension("goog/cdp/execute", json!({"cmd": method, "params": parameters}));
    }

    /// Asks for what only Chromium's driver has.
    fn extension(&self, path: &'static str, body: Value) -> Value {
        self.runtime.block_on(self.driver.issue_cmd(Extension { path, body })).unwrap()
    }

    /// How many pages of A4 it prints on.
    pub(super) fn printed_pages(&self) -> usize {
        let pdf = self.runtime.block_on(self.driver.print(PrintConfiguration::default())).unwrap();
        let text = String::from_utf8_lossy(&pdf);
        text.matches("/Type /Page\n").count() + text.matches("/Type /Page ").count()
    }

    /// What the console has said since the last time.
    pub(super) fn console(&self) -> Vec<String> {
        self.log("browser").iter().map(Value::to_string).collect()
    }

    fn log(&self, kind: &str) -> Vec<Value> {
        self.extension("se/log", json!({"type": kind})).as_array().unwrap().clone()
    }

    /// The origins of all requests since the last time.
    pub(super) fn origins(&self) -> BTreeSet<String> {
        let url = |message: &str| {
            let message: Value = serde_json::from_str(message).unwrap();
            let message = &message["message"];
            let url = message["params"]["request"]["url"]
                .as_str()
                .filter(|_| message["method"] == "Network.requestWillBeSent")?;
            // What is there before the page, and the browser's own pages.
            let (scheme, rest) =
                url.split_once(':').filter(|(scheme, _)| *scheme != "data" && !scheme.starts_with("chrome"))?;
            let host = rest.trim_start_matches('/').split('/').next().unwrap_or_default();
            Some(if scheme == "http" { format!("{scheme}://{host}") } else { scheme.to_owned() })
        };
        self.log("performance").iter().filter_map(|entry| url(entry["message"].as_str()?)).collect()
    }

    /// What axe-core finds fault with.
    pub(super) fn violations(&self) -> Vec<String> {
        let axe = std::fs::read_to_string(npm().join("node_modules/axe-core/axe.min.js")).unwrap();
        self.run(&axe);
        let script =
            "const done = arguments[0]; axe.run().then((it) => done(it.violations), (error) => done([String(error)]));";
        let found = self.runtime.block_on(self.driver.execute_async(script, Vec::new())).unwrap();
        let violations = found.as_array().unwrap();
        violations.iter().map(|it| format!("{}: {} {}", it["id"], it["help"], it["nodes"])).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A test that has failed leaves no browser behind either.
        let _ = self.runtime.block_on(self.driver.clone().close());
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn capabilities(directory: &Path) -> Capabilities {
    let profile = format!("--user-data-dir={}", directory.display());
    // As root, Chromium starts only without its sandbox; it sees nothing but our own pages here.
    let arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", &profile];
    let quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
    let arguments = [&arguments[..], &quiet].concat();
    let wanted = json!({
        "goog:chromeOptions": {"args": arguments},
        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
    });
    wanted.as_object().unwrap().clone()
}

/// What only Chromium's driver has.
#[derive(Debug)]
struct Extension {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, <Url as std::str::FromStr>::Err> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _url: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
