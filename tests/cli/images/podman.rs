//! Both images under podman: against the local endpoint and a table, to the end, and stopped.

use std::process::Command;

use super::registry::Registry;
use super::tool;
use crate::harness::{Run, Sandbox, until};

/// podman with storage of its own, without a daemon, on machines without systemd and user namespaces.
fn podman(sandbox: &Sandbox, args: &[&str]) -> Command {
    let mut podman = tool("podman");
    let directory = |name: &str| sandbox.path().join("podman").join(name).display().to_string();
    podman.args(["--root", &directory("root"), "--runroot", &directory("run"), "--tmpdir", &directory("tmp")]);
    podman.args(["--storage-driver=vfs", "--runtime", "runc", "--cgroup-manager=cgroupfs", "--events-backend=none"]);
    podman.args(args).current_dir(sandbox.path());
    podman
}

/// Options of a container that may be started anywhere, and the lab's settings.
fn run(sandbox: &Sandbox, name: &str, image: &str, item_seconds: &str, detached: bool) -> Command {
    let mut args = vec!["run", "--network=host", "--tls-verify=false", "--ulimit=nofile=1024:1024"];
    args.extend(["--ulimit=nproc=1024:1024", "--log-driver=k8s-file", "--name", name]);
    if detached {
        args.push("--detach");
    }
    let env = sandbox.ok(&["local", "env"]);
    let up = sandbox.json(&["up"]);
    let mut settings: Vec<String> = env
        .lines()
        .filter_map(|line| line.strip_prefix("export "))
        .map(|line| format!("--env={}", line.replace(['\'', '"'], "")))
        .collect();
    settings.push(format!("--env=TABLE_NAME={}", up["workshop"]["outputs"]["TableName"].as_str().unwrap()));
    settings.push(format!("--env=ITEM_SECONDS={item_seconds}"));
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    podman(sandbox, &[args, settings, vec![image]].concat())
}

fn lab() -> Sandbox {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    sandbox
}

/// Pulled from a registry that knows neither of the two.
#[test]
fn an_image_that_was_pushed_runs_to_its_end() {
    let (sandbox, registry) = (lab(), Registry::open());
    let pushed = sandbox.json(&["image", "push", &format!("{}/lab", registry.host)]);
    for (index, name) in ["original", "improved"].into_iter().enumerate() {
        sandbox.ok(&["clear"]);
        let image = format!("docker://{}", pushed["images"][index].as_str().unwrap());
        let run = Run::of(run(&sandbox, name, &image, "0", false).output().unwrap());
        assert_eq!(run.code, 0, "{name}: {run:?}");
        assert!(run.stdout.ends_with("Successfully PUT item 9 out of 10 into DDB\n"), "{name}: {run:?}");
        assert_eq!(sandbox.json(&["items"])["items"].as_array().unwrap().len(), 10, "{name}");
    }
    sandbox.ok(&["down"]);
}

#[test]
fn podman_stop_ends_an_image_by_sigterm_within_a_second() {
    let sandbox = lab();
    sandbox.ok(&["image", "build", "--to", "layout"]);
    for name in ["original", "improved"] {
        sandbox.ok(&["clear"]);
        // Relative: podman names the image by this path, and refuses capitals in it.
        super::stdout(&mut run(&sandbox, name, &format!("oci:layout:{name}"), "30", true));
        let log = || super::stdout(&mut podman(&sandbox, &["logs", name]));
        until("the worker has started", || log().contains("Starting at 0"));
        // After one second it would be SIGKILL, and the exit code 137.
        super::stdout(&mut podman(&sandbox, &["stop", "--time=1", name]));
        let code = super::stdout(&mut podman(&sandbox, &["inspect", "--format={{.State.ExitCode}}", name]));
        assert_eq!(code.trim(), "143", "{name}");
    }
    sandbox.ok(&["down"]);
}
