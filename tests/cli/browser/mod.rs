//! The pages in a real browser: what a reader sees of them, what they ask the network for, and who can read them.

mod driver;

use std::collections::BTreeSet;

use self::driver::Browser;
use crate::harness::{Running, Sandbox, found};

/// Whether something is wider than the window.
const IS_TOO_WIDE: &str = "return document.documentElement.scrollWidth > document.documentElement.clientWidth";

/// A page as everybody can read it: narrow and wide, light and dark.
fn assert_readable(browser: &Browser) {
    for (width, scheme) in [(360, "light"), (360, "dark"), (1280, "light"), (1280, "dark")] {
        browser.look(width, scheme);
        assert_eq!(browser.run(IS_TOO_WIDE), false, "at {width} pixels, one has to scroll sideways");
        let violations = browser.violations();
        assert!(violations.is_empty(), "{width} {scheme}: {violations:#?}");
    }
}

#[test]
fn the_report_tells_what_happened_and_asks_nobody_for_anything() {
    let sandbox = Sandbox::with_endpoint();
    let report = sandbox.json(&["lab", "--item-seconds", "0.25", "--no-predict"]);
    let browser = Browser::start();
    browser.open(&format!("file://{}", report["report"].as_str().unwrap()));
    assert_eq!(browser.text("h1"), "The hypothesis holds");
    let variants = report["variants"].as_array().unwrap();
    assert_eq!(variants.len(), 4);
    let at = browser
        .run("return [...document.querySelectorAll('[data-last-index]')].map((it) => Number(it.dataset.lastIndex))");
    let at: BTreeSet<u64> = at.as_array().unwrap().iter().map(|index| index.as_u64().unwrap()).collect();
    let told: BTreeSet<u64> = variants.iter().filter_map(|it| it["interrupted_at_index"].as_u64()).collect();
    assert!(!told.is_empty() && told.is_subset(&at), "{told:?} {at:?}");
    let curves = browser.run("return [...document.querySelectorAll('polyline')].map((it) => it.dataset.variant)");
    assert_eq!(curves, serde_json::json!(["original", "improved", "watchdog", "queue"]));
    assert_readable(&browser);
    assert_eq!(browser.console(), Vec::<String>::new());
    assert_eq!(browser.origins(), BTreeSet::from(["file".to_owned()]));
    let pages = browser.printed_pages();
    assert!((1..=2).contains(&pages), "{pages} pages");
}

#[test]
fn the_live_page_follows_a_run_and_is_for_who_has_its_link() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    let command = Running::start(&sandbox, &["watch", "--port", "0"]);
    let link = found("a link", || command.stdout().lines().find(|line| line.starts_with("http://")).map(str::to_owned));
    let origin = link.split("/?").next().unwrap();
    let browser = Browser::start();
    browser.open(&link);
    browser.wait_for("[data-part=step]", "fis-workshop run original");
    assert_eq!(browser.run("return location.href"), format!("{origin}/"), "the token is not in the address");
    sandbox.ok(&["run", "original", "--detach", "--item-seconds", "0.5"]);
    browser.wait_for("[data-part=step]", "interrupt --at-index 4");
    browser.click("button[value=interrupt]");
    browser.wait_for("[data-part=did]", "…");
    browser.wait_for("[data-part=experiments]", "completed");
    browser.wait_for("[data-part=log]", "Received SIGTERM");
    sandbox.ok(&["run", "original", "--item-seconds", "0"]);
    browser.wait_for("[data-part=items]", "10 of 10 items");
    browser.wait_for("[data-part=items]", "×2");
    browser.wait_for("[data-part=did]", "✓ fis-workshop interrupt --at-index 4");
    assert_readable(&browser);
    assert_eq!(browser.console(), Vec::<String>::new());
    assert_eq!(browser.origins(), BTreeSet::from([origin.to_owned()]));

    // Another site, in the same browser.
    let form = format!("<form method=post action={origin}/do><input name=press value=clear></form>");
    browser.open(&format!("data:text/html,{form}<script>document.forms[0].submit()</script>"));
    browser.wait_for("body", "This page does not serve other sites.");
    browser.open(&link);
    browser.wait_for("[data-part=items]", "10 of 10 items");
    browser.click("button[value=clear]");
    browser.wait_for("[data-part=items]", "0 of 10 items");
    browser.wait_for("[data-part=did]", "✓ fis-workshop clear");
    browser.click("button[value=original]");
    browser.wait_for("[data-part=step]", "interrupt --at-index 4");
    sandbox.ok(&["interrupt"]);

    let stranger = Browser::start();
    stranger.open(&format!("{origin}/"));
    let seen = stranger.text("body");
    assert!(seen.contains("This page is for who has its link") && !seen.contains("items"), "{seen}");
}
