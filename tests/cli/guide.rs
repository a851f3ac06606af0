//! `docs/guide.md` as an attendee follows it: what each block says is typed into the terminal that it is for, and what the
//! guide shows has to appear there.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::{PATIENCE, Sandbox, judge, signal};

const GUIDE: &str = include_str!("../../docs/guide.md");
const BY_HAND: &str = include_str!("../../docs/by-hand.md");
const CARDS: &str = include_str!("../../docs/failure-cards.md");

/// How long an item takes in the guide, for people who change from one terminal to the other.
const PACE_OF_THE_GUIDE: &str = "--item-seconds 5";
/// Enough for `interrupt` to begin before index 4 is written, and to end before index 5 is.
const PACE_OF_WHAT_IS_INTERRUPTED: &str = "--item-seconds 2";
const PACE_OF_THE_REST: &str = "--item-seconds 0.1";
/// By hand, what is interrupted has the pace of the page: between its fourth item and its last one, the AWS CLI has to
/// start twice, on a busy machine too.
const PACE_BY_HAND: (&str, &str) = (" 1)\"", " 0.1)\"");

/// A fenced block of the guide.
#[derive(Debug)]
struct Block {
    /// The first or the second one.
    terminal: usize,
    is_typed: bool,
    text: String,
}

/// The steps of the guide.
fn steps() -> &'static str {
    &GUIDE[GUIDE.find("\n## 1.").unwrap()..GUIDE.find("\n## When something").unwrap()]
}

/// Those of a page. The terminal is named in the line above a block, or it is that of the block before.
fn blocks(steps: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut parts = steps.split("\n```");
    let mut before = parts.next().unwrap();
    while let (Some(block), Some(after)) = (parts.next(), parts.next()) {
        let (kind, text) = block.split_once('\n').unwrap();
        let is_typed = kind == "sh";
        assert!(is_typed || kind == "text", "a block of {kind}: {text}");
        let above = before.trim().lines().last().unwrap_or_default().to_lowercase();
        let named = ["first terminal:", "second terminal:"].iter().position(|name| above.ends_with(name));
        let has_one = !steps.contains("terminal:");
        let same = blocks.last().filter(|_| !is_typed).map(|block| block.terminal).or(has_one.then_some(0));
        let terminal = named.or(same).unwrap_or_else(|| panic!("for which terminal is this?\n{text}"));
        blocks.push(Block { terminal, is_typed, text: text.to_owned() });
        before = after;
    }
    blocks
}

#[test]
fn the_guide_word_for_word_in_two_terminals_of_bash() {
    word_for_word("bash");
}

/// The shell of macOS.
#[test]
fn the_guide_word_for_word_in_two_terminals_of_zsh() {
    word_for_word("zsh");
}

fn word_for_word(shell: &str) {
    let sandbox = Sandbox::new();
    let mut terminals = [1, 2].map(|number| Terminal::open(&sandbox, shell, number));
    let blocks = blocks(steps());
    for (index, block) in blocks.iter().enumerate() {
        let terminal = &mut terminals[block.terminal];
        if !block.is_typed {
            terminal.shows(&block.text);
            if terminal.is_busy && blocks[index - 1].is_typed {
                signal_task(&sandbox, "STOP");
            }
            continue;
        }
        if block.text.contains("fis-workshop interrupt") && !block.text.contains("--dry-run") {
            signal_task(&sandbox, "CONT");
        }
        let next = blocks[index + 1..].iter().find(|next| next.is_typed);
        // The other terminal is used while a task runs in this one.
        let is_left_running = block.text.contains(" run ") && next.is_some_and(|next| next.terminal != block.terminal);
        let pace = if is_left_running { PACE_OF_WHAT_IS_INTERRUPTED } else { PACE_OF_THE_REST };
        terminal.types(&block.text.replace(PACE_OF_THE_GUIDE, pace), is_left_running);
    }
    for terminal in &mut terminals {
        terminal.finishes();
    }
}

#[test]
fn the_page_by_hand_word_for_word() {
    in_one_terminal(BY_HAND);
}

#[test]
fn the_failure_cards_word_for_word() {
    in_one_terminal(CARDS);
}

/// Of zsh: what is pasted is the same in bash.
fn in_one_terminal(page: &str) {
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::open(&sandbox, "zsh", 1);
    for Block { text, is_typed, .. } in blocks(page) {
        if is_typed {
            terminal.types_whatever_comes(&text.replace(PACE_BY_HAND.0, PACE_BY_HAND.1));
        } else {
            terminal.shows(&text);
        }
    }
}

/// To the task that runs. It pauses until it is to be interrupted, so that nothing depends on how fast the AWS CLI is.
fn signal_task(sandbox: &Sandbox, name: &str) {
    let tasks = std::fs::read_dir(sandbox.state_dir().join("local/tasks")).unwrap();
    for task in tasks.map(|task| task.unwrap().path()).filter(|task| !task.join("exit").exists()) {
        let group = std::fs::read_to_string(task.join("init")).unwrap();
        signal(name, &format!("-{}", group.trim()));
    }
}

/// What both shells take when it is pasted: a comment behind a command is an argument in zsh, and an unquoted pattern an error.
#[test]
fn what_people_paste_is_the_same_in_bash_and_zsh() {
    let pages = [
        GUIDE,
        BY_HAND,
        CARDS,
        include_str!("../../README.md"),
        include_str!("../../CONTRIBUTING.md"),
        include_str!("../../docs/instructor.md"),
        include_str!("../../docs/permissions.md"),
        include_str!("../../templates/README.md"),
    ];
    for line in pages.iter().flat_map(|page| pasted(page)) {
        let outside = without_quoted(line);
        assert!(!outside.contains(['#', '?', '[', '!', '^']), "zsh reads this in another way than bash: {line}");
        assert!(!outside.split_whitespace().any(|word| word.starts_with('=')), "zsh looks for a program: {line}");
    }
}

/// Lines of the blocks for a shell.
fn pasted(page: &'static str) -> Vec<&'static str> {
    let mut lines = Vec::new();
    let mut kind = None;
    for line in page.lines() {
        match (line.strip_prefix("```"), kind) {
            (Some(_), Some(_)) => kind = None,
            (Some(name), None) => kind = Some(name),
            (None, Some("sh" | "bash" | "console")) => lines.push(line),
            _ => {}
        }
    }
    assert!(!lines.is_empty());
    lines
}

/// The line without what is between quotes.
fn without_quoted(line: &str) -> String {
    let mut quote = None;
    let is_outside = |c: char| {
        match quote {
            Some(open) if open == c => quote = None,
            Some(_) => {}
            None if c == '\'' || c == '"' => quote = Some(c),
            None => return Some(c),
        }
        None
    };
    line.chars().filter_map(is_outside).collect()
}

/// A shell that is typed into as long as the test goes on.
struct Terminal {
    shell: Child,
    input: ChildStdin,
    output: PathBuf,
    /// Up to where the output was compared with the guide.
    read: usize,
    /// Lines that were typed.
    typed: usize,
    is_busy: bool,
}

impl Terminal {
    fn open(sandbox: &Sandbox, shell: &str, number: usize) -> Self {
        let output = sandbox.path().join(format!("terminal{number}"));
        let file = File::create_new(&output).unwrap();
        let ours = assert_cmd::cargo::cargo_bin!("fis-workshop");
        let tools = [judge("aws"), ours.to_owned()].map(|tool| tool.parent().unwrap().display().to_string());
        let mut shell = Command::new(shell);
        shell.env_clear().current_dir(sandbox.path()).env("HOME", sandbox.path()).env("LANG", "C.UTF-8");
        shell.env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", tools.join(":"))).env("COLUMNS", "100");
        shell.env("FIS_WORKSHOP_STATE_DIR", sandbox.state_dir());
        shell.stdin(Stdio::piped()).stdout(file.try_clone().unwrap()).stderr(file);
        let mut shell = shell.spawn().unwrap_or_else(|error| panic!("{shell:?}: {error}; `make test` installs it"));
        let input = shell.stdin.take().unwrap();
        Self { shell, input, output, read: 0, typed: 0, is_busy: false }
    }

    /// Types a block line by line. The last line may be left running.
    fn types(&mut self, block: &str, is_left_running: bool) {
        self.finishes();
        self.read = self.text().len();
        let lines: Vec<_> = block.lines().collect();
        let (last, first) = lines.split_last().unwrap();
        for line in first {
            self.enters(line);
            self.waits_for(&self.end(0));
        }
        self.enters(last);
        if is_left_running {
            self.is_busy = true;
        } else {
            self.waits_for(&self.end(0));
        }
    }

    /// Types a block line by line; a line may fail.
    fn types_whatever_comes(&mut self, block: &str) {
        self.read = self.text().len();
        for line in block.lines() {
            self.enters(line);
            self.waits_for(&format!("[line {} ended with ", self.typed));
        }
    }

    fn enters(&mut self, line: &str) {
        self.typed += 1;
        writeln!(self.input, "{line}\necho \"[line {} ended with $?]\"", self.typed).unwrap();
    }

    /// What the shell says at the end of the last line.
    fn end(&self, code: u8) -> String {
        format!("[line {} ended with {code}]", self.typed)
    }

    /// What was left running was interrupted meanwhile.
    fn finishes(&mut self) {
        if std::mem::take(&mut self.is_busy) {
            self.waits_for(&self.end(143));
        }
    }

    /// Waits for the lines that the guide shows, in their order.
    fn shows(&mut self, lines: &str) {
        for part in lines.lines().flat_map(|line| line.split('…')) {
            let part = words(part);
            if !part.is_empty() {
                self.read = self.waits_for(&part);
            }
        }
    }

    /// Waits for `text` in what the guide has not shown yet; says where it ends.
    fn waits_for(&self, text: &str) -> usize {
        let begin = Instant::now();
        loop {
            let output = self.text();
            let new = &output[self.read..];
            if let Some(at) = new.find(text) {
                return self.read + at + text.len();
            }
            assert!(begin.elapsed() < PATIENCE, "`{text}` is not in what {} shows:\n{new}", self.output.display());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn text(&self) -> String {
        words(&String::from_utf8_lossy(&std::fs::read(&self.output).unwrap()))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // What it runs ends with its task, and that with the sandbox.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

/// The words alone: how wide a column is depends on its content.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
