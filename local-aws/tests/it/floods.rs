//! Tasks that write more than anybody reads.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::ecs_lab::Lab;
use crate::harness::{Endpoint, until};

async fn lab() -> (Endpoint, Lab) {
    let endpoint = Endpoint::start().await;
    let lab = Lab::new(&endpoint.sdk_config()).await;
    (endpoint, lab)
}

/// Bytes that the files below the state directory take on the disk.
fn room(endpoint: &Endpoint) -> u64 {
    let mut directories: Vec<PathBuf> = vec![endpoint.state_dir().to_owned()];
    let mut blocks = 0;
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            // What is deleted meanwhile takes none.
            let Ok(file) = entry.metadata() else { continue };
            if file.is_dir() {
                directories.push(entry.path());
            }
            blocks += file.blocks();
        }
    }
    blocks * 512
}

#[tokio::test]
async fn a_task_that_writes_without_end_holds_nobody_up_and_is_stopped() {
    let (endpoint, lab) = lab().await;
    let sts = aws_sdk_sts::Client::new(&endpoint.sdk_config());
    // On a busy machine SIGTERM may take seconds to come through.
    lab.register(lab.container().stop_timeout(30)).await;
    let noisy = lab.start("echo begin; exec yes").await;
    until("output", async || (lab.head(&noisy, 2).await == ["begin", "y"]).then_some(())).await;
    for _ in 0..50 {
        sts.get_caller_identity().send().await.unwrap();
    }
    // It has to wait for its log: without that it writes gigabytes in the time that this takes. On a busy machine it may
    // write for some tenths of a second before the endpoint gets a processor and sees it.
    let other = lab.start("echo other; echo end").await;
    lab.stopped(&other).await;
    assert_eq!(lab.log(&other).await, ["other", "end"]);
    assert!(room(&endpoint) < 1_500_000_000, "{}", room(&endpoint));
    lab.stop(&noisy).await;
    let stopped = lab.stopped(&noisy).await;
    assert_eq!(stopped.containers()[0].exit_code(), Some(143));
}

#[tokio::test]
async fn a_task_that_ignores_its_stop_and_writes_is_killed() {
    let (_endpoint, lab) = lab().await;
    let task = lab.start("trap '' TERM; echo begin; while :; do seq 1 1000; done").await;
    until("output", async || (lab.head(&task, 2).await == ["begin", "1"]).then_some(())).await;
    lab.stop(&task).await;
    assert_eq!(lab.stopped(&task).await.containers()[0].exit_code(), Some(137));
}

#[tokio::test]
async fn every_line_of_a_long_log_is_there_once_and_in_order() {
    let (endpoint, lab) = lab().await;
    let task = lab.start("seq 1 300000; printf 'the last line'").await;
    lab.stopped(&task).await;
    let mut lines = lab.log(&task).await.into_iter();
    assert!((1..=300_000).all(|number: u32| lines.next() == Some(number.to_string())));
    assert_eq!((lines.next().as_deref(), lines.next()), (Some("the last line"), None));
    // A row and two entries in indexes for each line would be twenty times as much.
    assert!(room(&endpoint) < 30_000_000, "{}", room(&endpoint));
}

#[tokio::test]
async fn a_task_whose_output_waits_goes_on_with_the_next_endpoint() {
    let (mut endpoint, lab) = lab().await;
    let task = lab.start("echo begin; sleep 1; while :; do seq 1 1000; done").await;
    until("output", async || (lab.head(&task, 1).await == ["begin"]).then_some(())).await;
    endpoint = endpoint.restart().await;
    let lab = lab.again(&endpoint.sdk_config());
    // Longer than a page, which an endpoint takes in at once.
    until("more output", async || (lab.head(&task, 10_000).await.len() == 10_000).then_some(())).await;
    lab.stop(&task).await;
    lab.stopped(&task).await;
}

#[tokio::test]
async fn of_what_was_written_while_nobody_took_it_in_the_end_is_kept() {
    let (endpoint, lab) = lab().await;
    let dir = tempfile::tempdir().unwrap();
    let go = dir.path().join("go");
    let wait = format!("while ! test -e {}; do sleep 0.05; done", go.display());
    let task = lab.start(&format!("echo begin; {wait}; seq 1 3000000; echo end")).await;
    until("output", async || (lab.head(&task, 1).await == ["begin"]).then_some(())).await;
    // Of a program that still runs when the next endpoint looks, everything is taken in. Init notes the end of its own.
    let exit = endpoint.state_dir().join("tasks").join(task.rsplit('/').next().unwrap()).join("exit");
    let flood = async {
        std::fs::write(&go, "").unwrap();
        until("the end of the program", async || exit.metadata().is_ok_and(|file| file.len() > 0).then_some(())).await;
    };
    let endpoint = endpoint.restart_after(flood).await;
    let lab = lab.again(&endpoint.sdk_config());
    assert_eq!(lab.stopped(&task).await.containers()[0].exit_code(), Some(0));
    let log = lab.log(&task).await;
    let numbers: Vec<u32> = log.iter().filter_map(|line| line.parse().ok()).collect();
    assert!((60_000..2_000_000).contains(&numbers.len()) && numbers.is_sorted(), "{}", numbers.len());
    let words: Vec<&str> = log.iter().map(String::as_str).filter(|line| line.parse::<u32>().is_err()).collect();
    let ["begin", left_out, "end"] = words[..] else { panic!("{words:?}") };
    assert!(
        left_out.ends_with(" MiB that this task wrote faster than its log took them in are left out here."),
        "{left_out}"
    );
    assert_eq!(numbers.last(), Some(&3_000_000));
}

#[tokio::test]
async fn programs_end_when_the_state_directory_is_deleted() {
    let (endpoint, lab) = lab().await;
    let task = lab.start("echo $$; sleep 60").await;
    let process = until("its id", async || lab.log(&task).await.first().cloned()).await;
    std::fs::remove_dir_all(endpoint.state_dir()).unwrap();
    let alive = || std::path::Path::new("/proc").join(&process).join("cmdline").metadata().is_ok();
    let gone = || async { (!alive() || !cfg!(target_os = "linux")).then_some(()) };
    until("the end of the program", async || gone().await).await;
}

/// An endpoint that is killed holds nobody any more; the next one finds a program that it believes to wait.
#[tokio::test]
async fn a_task_that_was_let_go_meanwhile_waits_for_the_next_endpoint() {
    let (endpoint, lab) = lab().await;
    let noisy = lab.start("exec yes").await;
    until("output", async || (lab.head(&noisy, 1).await == ["y"]).then_some(())).await;
    let id = noisy.rsplit('/').next().unwrap();
    let init = std::fs::read_to_string(endpoint.state_dir().join("tasks").join(id).join("init")).unwrap();
    let group = rustix::process::Pid::from_raw(init.trim().parse().unwrap()).unwrap();
    let is_up = Arc::new(AtomicBool::new(false));
    let up = Arc::clone(&is_up);
    let let_go = std::thread::spawn(move || {
        while !up.load(Ordering::Relaxed) {
            rustix::process::kill_process_group(group, rustix::process::Signal::CONT).unwrap();
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    let endpoint = endpoint.restart().await;
    let lab = lab.again(&endpoint.sdk_config());
    let before = room(&endpoint);
    until("it is ahead", async || (room(&endpoint) > before + 16_000_000).then_some(())).await;
    is_up.store(true, Ordering::Relaxed);
    let_go.join().unwrap();
    // Stopped, by the first letter of its state.
    until("it waits", async || {
        let state = std::process::Command::new("ps").args(["-o", "stat=", "-p", init.trim()]).output().unwrap();
        state.stdout.starts_with(b"T").then_some(())
    })
    .await;
    lab.stop(&noisy).await;
    lab.stopped(&noisy).await;
}
