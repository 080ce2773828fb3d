//! A tmux buffer, filled by a `tmux load-buffer` child process that is given the
//! text on stdin, never in its arguments, and a limited time.

use std::io::{self, Read as _, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::one_line;

/// How long one child may take. A healthy tmux takes a few milliseconds.
const DEADLINE: Duration = Duration::from_secs(1);

/// How much of what the child says on stderr is kept.
const REASON_BYTES: u64 = 4096;

/// What tmux did with the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loaded {
    /// The buffer has it, and tmux sends it to the terminal it runs in.
    AndPassedOn,
    /// The buffer has it. This tmux has no `load-buffer -w`, which came with 3.2.
    BufferOnly,
}

/// Why a child did not do what it was started for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    NotStarted(String),
    TooSlow,
    /// The status it ended with, and what it said on stderr.
    Ended(String, String),
}

/// Fills a buffer with `text`, and has tmux pass it on where it can.
pub(super) fn load_buffer(text: &str) -> Result<Loaded, String> {
    load_buffer_with(|arguments| {
        let mut tmux = Command::new("tmux");
        tmux.args(arguments);
        run(tmux, text, DEADLINE)
    })
}

/// Tries `load-buffer` with `-w`, and without it where tmux does not know the
/// flag: it then says nothing but how it wants to be called.
pub(super) fn load_buffer_with(
    mut tmux: impl FnMut(&[&str]) -> Result<(), Failure>,
) -> Result<Loaded, String> {
    match tmux(&["load-buffer", "-w", "-"]) {
        Ok(()) => Ok(Loaded::AndPassedOn),
        Err(failure) if failure.is_about_usage() => {
            tmux(&["load-buffer", "-"]).map(|()| Loaded::BufferOnly).map_err(|failure| failure.in_words())
        }
        Err(failure) => Err(failure.in_words()),
    }
}

/// Runs a child with `text` on its stdin and waits for it until the deadline,
/// after which it is killed.
pub(super) fn run(mut command: Command, text: &str, deadline: Duration) -> Result<(), Failure> {
    let until = Instant::now() + deadline;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| Failure::NotStarted(reason_not_started(&error)))?;
    let said = talk(&mut child, text).map_err(|error| {
        end(&mut child);
        Failure::NotStarted(error.to_string())
    })?;
    // Without an end of stderr the child may still have ended: something that it
    // started can hold the other end of the pipe. Its status decides.
    let said = said.recv_timeout(deadline).unwrap_or_default();
    match status_by(&mut child, until) {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(Failure::Ended(status.to_string(), said)),
        None => {
            end(&mut child);
            Err(Failure::TooSlow)
        }
    }
}

/// Writes the text and collects stderr on a thread of its own, since either can
/// block for as long as the child likes. The thread ends with the child's pipes.
fn talk(child: &mut Child, text: &str) -> io::Result<mpsc::Receiver<String>> {
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let (send, said) = mpsc::channel();
    let text = text.to_owned();
    thread::Builder::new().name("clipboard-tmux".to_owned()).spawn(move || {
        if let Some(mut stdin) = stdin {
            // A child that refuses the call ends without reading: its status
            // and its stderr say why, the broken pipe does not.
            let _ = stdin.write_all(text.as_bytes());
        }
        let mut said = Vec::new();
        if let Some(mut stderr) = stderr {
            let _ = (&mut stderr).take(REASON_BYTES).read_to_end(&mut said);
            let _ = io::copy(&mut stderr, &mut io::sink());
        }
        let _ = send.send(String::from_utf8_lossy(&said).into_owned());
    })?;
    Ok(said)
}

/// The status of a child that has closed its stderr, or was given its time, and
/// so has ended already or is about to.
fn status_by(child: &mut Child, until: Instant) -> Option<ExitStatus> {
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if Instant::now() >= until {
            return None;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Kills a child and collects it, so that it does not stay as a zombie.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn reason_not_started(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "tmux is not installed here".to_owned(),
        _ => format!("tmux could not be started: {error}"),
    }
}

impl Failure {
    /// tmux before 3.2 answers an unknown flag with `usage: …`, later ones with
    /// `command load-buffer: unknown flag -w` and the like.
    fn is_about_usage(&self) -> bool {
        let Self::Ended(_, said) = self else {
            return false;
        };
        ["usage:", "unknown flag", "unknown option", "invalid option"]
            .into_iter()
            .any(|sign| said.contains(sign))
    }

    fn in_words(&self) -> String {
        match self {
            Self::NotStarted(reason) => reason.clone(),
            Self::TooSlow => format!("tmux did not answer within {} s", DEADLINE.as_secs()),
            Self::Ended(status, said) => match one_line(said) {
                said if said.is_empty() => format!("tmux ended with {status}"),
                said => said,
            },
        }
    }
}
