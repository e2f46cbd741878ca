//! The real programs, as a shell starts them in a folder.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

const DETAINERD: &str = env!("CARGO_BIN_EXE_detainerd");
const DETAINERCTL: &str = env!("CARGO_BIN_EXE_detainerctl");

fn program(path: &str, folder: &Path) -> Command {
    let mut command = Command::new(path);
    command.current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("DETAINER")) {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG").env_remove("RUST_BACKTRACE").env_remove("COLUMNS");
    command
}

/// A server that runs; it ends with this value.
pub struct Serving {
    /// Where it is.
    pub address: String,
    child: Child,
}

/// Starts `detainerd serve` with words of a command line, and waits until it is ready; what it said where it never is.
pub async fn serve(folder: &Path, words: &str) -> Result<Serving, String> {
    let mut command = program(DETAINERD, folder);
    command.args(["serve", "--listen", "127.0.0.1:0"]).args(words.split_whitespace());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(child.stderr.take().expect("its messages"));
    let mut said = String::new();
    loop {
        let mut line = String::new();
        let read = tokio::time::timeout(Duration::from_secs(60), lines.read_line(&mut line)).await.expect("in time");
        if read.expect("text") == 0 {
            assert!(!child.wait().await.expect("it ends").success(), "{said}");
            return Err(said);
        }
        if let Some((_, rest)) = line.split_once("ready on ") {
            let address = format!("http://{}", rest.split(' ').next().unwrap_or_default());
            tokio::spawn(async move { lines.read_to_end(&mut Vec::new()).await });
            return Ok(Serving { address, child });
        }
        said.push_str(&line);
    }
}

impl Serving {
    /// Ends it, and waits until it has.
    pub async fn end(mut self) {
        self.child.kill().await.expect("it ends");
    }
}

/// `detainerctl` with words of a command line (`+` stands for a space within a word) and variables of the environment.
pub async fn ctl_with(folder: &Path, server: &Serving, words: &str, variables: &[(&str, &str)]) -> Output {
    let words = words.split_whitespace().map(|word| word.replace('+', " "));
    let mut command = program(DETAINERCTL, folder);
    command.args(["--server", &server.address]).args(words).envs(variables.iter().copied());
    tokio::time::timeout(Duration::from_secs(60), command.output()).await.expect("in time").expect("it runs")
}

/// `detainerctl` with words of a command line; its output where it succeeds.
pub async fn ctl(folder: &Path, server: &Serving, words: &str) -> String {
    let done = ctl_with(folder, server, words, &[]).await;
    assert!(done.status.success(), "{words}: {}", text(&done.stderr));
    text(&done.stdout)
}

/// Output as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
