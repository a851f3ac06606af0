//! Faults on the wire between the deployer and AWS, on every operation that it calls: a command ends in the right state
//! or in one clear error, and the repeated command makes it right, with nothing there twice.

mod lab;
mod setup;
mod storm;

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Mutex;

use crate::harness::{Run, Sandbox};
use crate::wire::{Fault, Proxy};

/// What passes: the SDK tries again.
const PASSING: [Fault; 5] =
    [Fault::Throttled, Fault::ServerError, Fault::Gateway, Fault::ResetBefore, Fault::ResetAfter];

/// What does not help to wait for is not tried again.
const ALL: [Fault; 6] =
    [Fault::Throttled, Fault::ServerError, Fault::Gateway, Fault::ResetBefore, Fault::ResetAfter, Fault::Expired];

/// A sandbox and the wire to its endpoint.
struct Line {
    sandbox: Sandbox,
    proxy: Proxy,
}

impl Line {
    fn new() -> Self {
        let sandbox = Sandbox::with_endpoint();
        let proxy = Proxy::of(&sandbox);
        Self { sandbox, proxy }
    }

    fn command(&self, args: &[&str]) -> Command {
        self.proxy.command(&self.sandbox, args)
    }

    /// The operations that a command which succeeds calls, without faults.
    fn operations(&self, args: &[&str]) -> BTreeSet<String> {
        self.proxy.plan(|_| None);
        self.proxy.take_calls();
        let run = Run::of(self.command(args).output().unwrap());
        assert_eq!(run.code, 0, "{args:?}: {run:?}");
        self.proxy.take_calls().iter().map(crate::wire::Call::name).collect()
    }

    /// With `fault` on the first call of `operation`. What passes is survived.
    fn once(&self, fault: Fault, operation: &str, args: &[&str]) -> Run {
        let (wanted, once) = (operation.to_owned(), Mutex::new(Some(fault)));
        self.proxy.plan(move |call| if call.name() == wanted { once.lock().unwrap().take() } else { None });
        let run = Run::of(self.command(args).output().unwrap());
        assert_eq!(run.code, 0, "{fault:?} once on {operation}: {args:?}: {run:?}");
        self.proxy.plan(|_| None);
        run
    }

    /// With `fault` on all calls of `operation`.
    fn always(&self, fault: Fault, operation: &str, args: &[&str]) -> Run {
        let wanted = operation.to_owned();
        self.proxy.plan(move |call| (call.name() == wanted).then_some(fault));
        // One attempt of the SDK: what comes after the last of three is the same, and seconds later.
        let run = Run::of(self.command(args).env("AWS_MAX_ATTEMPTS", "1").output().unwrap());
        ended_clearly(&run, &format!("{fault:?} on {operation}: {args:?}"));
        if fault == Fault::Expired && run.code == 1 {
            assert!(run.stderr.contains("hint: The credentials have expired"), "{operation}: {run:?}");
        }
        self.proxy.plan(|_| None);
        run
    }
}

/// Done, or one error: what failed, why and what to do, in words.
fn ended_clearly(run: &Run, what: &str) {
    let said = format!("{what}: {run:?}");
    assert!(matches!(run.code, 0 | 1), "{said}");
    for dump in ["panicked", "RUST_BACKTRACE", "SdkError", "Unhandled", "DispatchFailure", "ErrorMetadata", "{ "] {
        assert!(!run.stderr.contains(dump), "{dump}: {said}");
    }
    let errors = run.stderr.lines().filter(|line| line.starts_with("error: ")).count();
    assert_eq!(errors, usize::from(run.code == 1), "{said}");
    if run.code == 1 {
        assert!(run.stderr.contains("\n  cause: "), "{said}");
    }
}

/// Every fault at the same time, each with an endpoint of its own: the SDK's pauses are most of what they take.
fn side_by_side(faults: &[Fault], test: impl Fn(Fault) + Sync) {
    std::thread::scope(|scope| {
        for fault in faults {
            let test = &test;
            std::thread::Builder::new().name(format!("{fault:?}")).spawn_scoped(scope, move || test(*fault)).unwrap();
        }
    });
}
