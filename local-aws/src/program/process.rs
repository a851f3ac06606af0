//! The process of a program, which outlives the endpoint and is found again, or ends with it.
//!
//! Between the endpoint and the program stands an init process, a few lines for the POSIX shell of the host. It leads
//! a session of its own and leaves in its directory what a later endpoint needs to know:
//! - `output`: standard output and error of the program
//! - `init`, `pid`: process ids of init and program, written before the program runs
//! - `exit`: how the program ended, 128 + n for signal n
//!
//! Each of the small files is whole when it ends in a newline. A process is alive as long as somebody holds the lock on
//! `output`. The endpoint takes the lock and hands the open file to init, and everything that init starts inherits it;
//! the kernel drops it with the last of them, however they end. So there is no moment, not even between fork and exec,
//! at which a kill of the endpoint makes a process be started twice or be lost, and no process id that another process
//! got meanwhile is mistaken for ours.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use process_wrap::std::{ChildWrapper, CommandWrap, ProcessSession, ResetSigmask};
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process};

/// `$0` is the process's directory, `$@` program and arguments. The shell's own words (`Killed`) are not for the log, so
/// its standard error is away while the program has it as descriptor 3, too. Both programs run in the foreground:
/// what a shell starts in the background ignores SIGINT and SIGQUIT.
///
/// The limit is for a program that writes without end while no endpoint is there to hold it: 8 GiB in blocks of 512 bytes.
const INIT: &str = r#"exec 3>&2 2>/dev/null
ulimit -f 16777216
printf '%s\n' "$$" >"$0/init" || exit 125
/bin/sh -c 'printf "%s\n" "$$" >"$0/pid" && exec "$@" 2>&3' "$0" "$@"
status=$?
printf '%s\n' "$status" >"$0/exit"
exit "$status""#;

/// The same for a program that ends with the endpoint: a guard in its process group waits for the end of a pipe that
/// nobody writes to. The kernel closes the other side with the endpoint, however that ends, and the guard kills all. The
/// program itself may be held meanwhile; the group may not, for the guard is of it.
const TIED_INIT: &str = r#"exec 3>&2 4<&0 2>/dev/null </dev/null
{ exec 3>&-; read -r nothing <&4; kill -KILL 0; } &
exec 4<&-
ulimit -f 16777216
printf '%s\n' "$$" >"$0/init" || exit 125
/bin/sh -c 'printf "%s\n" "$$" >"$0/pid" && exec "$@" 2>&3' "$0" "$@"
status=$?
printf '%s\n' "$status" >"$0/exit"
exit "$status""#;

/// Room is given back in pieces of this size.
#[cfg(target_os = "linux")]
const FREED: u64 = 1024 * 1024;

/// A program, ready to run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) directory: PathBuf,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exit {
    /// Unknown when the init process was killed, too, and nobody saw it.
    pub(crate) code: Option<i32>,
    pub(crate) at: DateTime<Utc>,
}

/// The process of a program.
#[derive(Debug)]
pub(crate) struct Process {
    directory: PathBuf,
    output: File,
    /// How much of the output's start takes no room on the disk any more.
    freed: AtomicU64,
    // Not waited for before the group is killed: as long as it is there, if only as a zombie, no other process can get
    // its id. `None` when an earlier endpoint started it.
    init: Option<Box<dyn ChildWrapper>>,
    /// How init ended, once it was waited for.
    status: Option<ExitStatus>,
}

impl Process {
    /// Starts `program`, or finds it when it has been started already.
    pub(crate) fn start(directory: &Path, program: &Program) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let output = OpenOptions::new().create(true).append(true).open(directory.join("output"))?;
        match output.try_lock() {
            Ok(()) if read_number(directory, "init").is_none() => {}
            Ok(()) | Err(TryLockError::WouldBlock) => return Self::adopt(directory),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        Self::spawn(directory, program, output, INIT, Stdio::null())
    }

    /// Starts `program` in a new directory. It ends with the endpoint, or with this value.
    pub(crate) fn start_tied(directory: &Path, program: &Program) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let output = OpenOptions::new().create_new(true).append(true).open(directory.join("output"))?;
        output.try_lock()?;
        Self::spawn(directory, program, output, TIED_INIT, Stdio::piped())
    }

    fn spawn(directory: &Path, program: &Program, output: File, init: &str, input: Stdio) -> io::Result<Self> {
        let mut command = Command::new("/bin/sh");
        // The shells see nothing of the program's environment: `OPTIND=x` would end them. `--` ends the options of env,
        // so that a variable called `-S` is none of them.
        command.arg("-c").arg(init).arg(directory).args(["/usr/bin/env", "-i", "--"]);
        command.args(program.environment.iter().map(|(name, value)| format!("{name}={value}")));
        if program.path.to_string_lossy().contains('=') {
            // To env such a path is one more variable.
            command.args(["/usr/bin/nice", "-n", "0"]);
        }
        command
            .arg(&program.path)
            .args(&program.arguments)
            .env_clear()
            .current_dir(&program.directory)
            .stdin(input)
            .stdout(output.try_clone()?)
            .stderr(output);
        // In the session of the endpoint the kernel would send SIGHUP to a program that is held when the endpoint dies.
        let init = CommandWrap::from(command).wrap(ProcessSession).wrap(ResetSigmask).spawn()?;
        Ok(Self { init: Some(init), ..Self::adopt(directory)? })
    }

    /// The process that an earlier endpoint started.
    pub(crate) fn adopt(directory: &Path) -> io::Result<Self> {
        let output = OpenOptions::new().read(true).write(true).open(directory.join("output"))?;
        Ok(Self { directory: directory.to_owned(), output, freed: AtomicU64::new(0), init: None, status: None })
    }

    /// Whether the program has been started, by whatever endpoint.
    pub(crate) fn was_started(directory: &Path) -> bool {
        Self::adopt(directory).is_ok_and(|process| process.is_alive() || read_number(directory, "init").is_some())
    }

    /// Whether anything that holds the output is left.
    pub(crate) fn is_alive(&self) -> bool {
        match self.output.try_lock() {
            Ok(()) => {
                // Otherwise we would be the one that holds it.
                let _ = self.output.unlock();
                false
            }
            Err(error) => matches!(error, TryLockError::WouldBlock),
        }
    }

    /// Whether the files have been deleted under it.
    pub(crate) fn is_deserted(&self) -> bool {
        self.output.metadata().is_ok_and(|file| file.nlink() == 0)
    }

    /// How the program ended; `None` as long as it runs.
    pub(crate) fn exit(&mut self) -> Option<Exit> {
        if let Some(exit) = self.noted_exit() {
            return Some(exit);
        }
        if let Some(init) = &mut self.init
            && self.status.is_none()
        {
            self.status = init.try_wait().ok()?;
        }
        let code = match self.status {
            Some(status) => status.code().or_else(|| status.signal().map(|signal| 128 + signal)),
            None if self.init.is_some() => return None,
            None if !self.is_alive() => None,
            // Init is gone and has left its program behind, as only SIGKILL makes it.
            None if read_number(&self.directory, "init").and_then(pid).is_some_and(is_gone) => Some(137),
            None => return None,
        };
        // It may have been noted after the first look.
        Some(self.noted_exit().unwrap_or_else(|| Exit { code, at: Utc::now() }))
    }

    fn noted_exit(&self) -> Option<Exit> {
        let code = read_number(&self.directory, "exit")?;
        let noted = fs::metadata(self.directory.join("exit")).and_then(|file| file.modified());
        Some(Exit { code: Some(code), at: noted.map_or_else(|_| Utc::now(), DateTime::from) })
    }

    /// Sends `signal` to the program. `false` when it has not got as far as to have a process id.
    pub(crate) fn signal(&self, signal: Signal) -> bool {
        let Some(program) = read_number(&self.directory, "pid").and_then(pid) else { return false };
        if let Err(error) = kill_process(program, signal) {
            tracing::debug!(%error, "the program is gone already");
        }
        true
    }

    /// The most memory that the program has had at once, in bytes, where the kernel tells.
    pub(crate) fn peak_memory(&self) -> Option<u64> {
        let program = read_number(&self.directory, "pid")?;
        let status = fs::read_to_string(format!("/proc/{program}/status")).ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        peak.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
    }

    /// Lets the whole process group wait, as a program waits whose pipe is full.
    pub(crate) fn hold(&self) {
        self.signal_group(Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.signal_group(Signal::CONT);
    }

    fn signal_group(&self, signal: Signal) {
        let group = match &self.init {
            Some(init) => i32::try_from(init.id()).ok(),
            // Without a lock nobody of the group is left, and its number may be another's.
            None if self.is_alive() => read_number(&self.directory, "init"),
            None => None,
        };
        if let Some(group) = group.and_then(pid)
            && let Err(error) = kill_process_group(group, signal)
        {
            tracing::debug!(%error, "nothing of the process group is left");
        }
    }

    /// Kills what is left of the process group, init included.
    pub(crate) fn kill_group(&mut self) {
        self.signal_group(Signal::KILL);
        match self.init.take().map(|mut init| init.wait()).transpose() {
            Ok(status) => self.status = status.or(self.status),
            Err(error) => tracing::warn!(%error, "the init process of a program could not be waited for"),
        }
    }

    /// How many bytes the program has written.
    pub(crate) fn written(&self) -> io::Result<u64> {
        Ok(self.output.metadata()?.len())
    }

    /// Gives back the room that the output takes up to `end`, a few blocks at a time. Its length and what follows stay.
    #[cfg(target_os = "linux")]
    pub(crate) fn free_up_to(&self, end: u64) {
        use rustix::fs::{FallocateFlags, fallocate};
        let (freed, end) = (self.freed.load(Ordering::Relaxed), end / FREED * FREED);
        if end > freed {
            // A file system without holes keeps the file until the task is over.
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            if let Err(error) = fallocate(&self.output, flags, freed, end - freed) {
                tracing::debug!(%error, "the room of a program's output is not given back");
            }
            self.freed.store(end, Ordering::Relaxed);
        }
    }

    /// macOS has no call for it that the standard crates know: there the file goes with its task.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn free_up_to(&self, _end: u64) {
        self.freed.store(0, Ordering::Relaxed);
    }

    /// Forgets what the program has written, so that what it writes next is the start of the output.
    pub(crate) fn empty(&self) -> io::Result<()> {
        self.output.set_len(0)
    }

    /// What the program has written from `offset` on, at most `limit` bytes of it.
    pub(crate) fn output(&self, offset: u64, limit: usize) -> io::Result<Vec<u8>> {
        let length = self.output.metadata()?.len().saturating_sub(offset);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(limit).min(limit)];
        self.output.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }
}

fn read_number(directory: &Path, name: &str) -> Option<i32> {
    fs::read_to_string(directory.join(name)).ok()?.strip_suffix('\n')?.parse().ok()
}

// Zero and negative numbers would mean process groups.
fn pid(number: i32) -> Option<Pid> {
    if number > 1 { Pid::from_raw(number) } else { None }
}

fn is_gone(pid: Pid) -> bool {
    test_kill_process(pid) == Err(rustix::io::Errno::SRCH)
}

/// A signal by its name, as images write their stop signal: `SIGINT`, `INT`, `2`.
pub(crate) fn signal_named(name: &str) -> Option<Signal> {
    let name = name.to_ascii_uppercase();
    match name.strip_prefix("SIG").unwrap_or(&name) {
        "HUP" => Some(Signal::HUP),
        "INT" => Some(Signal::INT),
        "QUIT" => Some(Signal::QUIT),
        "KILL" => Some(Signal::KILL),
        "USR1" => Some(Signal::USR1),
        "USR2" => Some(Signal::USR2),
        "TERM" => Some(Signal::TERM),
        "WINCH" => Some(Signal::WINCH),
        number => number.parse().ok().and_then(Signal::from_named_raw),
    }
}

#[cfg(test)]
#[path = "process_tests.rs"]
mod tests;
