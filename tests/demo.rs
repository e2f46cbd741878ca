//! `detainerd demo` as a newcomer starts it: the real programs, in an empty folder, on a free port.

mod common;

use common::Fresh;
use detainer::journal::record::Record;
use detainer::rows::Cell;
use detainer::rows::tables::JOURNAL;
use std::path::Path;
use std::process::{ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

const DETAINERD: &str = env!("CARGO_BIN_EXE_detainerd");
const DETAINERCTL: &str = env!("CARGO_BIN_EXE_detainerctl");

/// A program in a folder, as a shell would start it there.
fn program(path: &str, folder: &Path) -> Command {
    let mut command = Command::new(path);
    command.current_dir(folder).env_remove("CARGO_MANIFEST_DIR").env_remove("RUST_LOG").kill_on_drop(true);
    command
}

struct Demo {
    child: Child,
    out: Lines<BufReader<ChildStdout>>,
    said: String,
}

impl Demo {
    /// Starts it and waits until it has shown everything.
    async fn start(fresh: &Fresh, folder: &Path) -> Self {
        let mut command = program(DETAINERD, folder);
        command.args(["demo", "--listen", "127.0.0.1:0", "--database", &fresh.url]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let out = BufReader::new(child.stdout.take().expect("its output")).lines();
        let mut demo = Self { child, out, said: String::new() };
        while !demo.said.contains("stays up until Ctrl-C") {
            let line = tokio::time::timeout(Duration::from_secs(120), demo.out.next_line()).await.expect("it goes on");
            let Some(line) = line.expect("text") else {
                let complaint = demo.complaint().await;
                panic!("it ended: {}\n{complaint}", demo.said)
            };
            demo.said.push_str(&line);
            demo.said.push('\n');
        }
        demo
    }

    async fn complaint(&mut self) -> String {
        let mut lines = BufReader::new(self.child.stderr.take().expect("its messages")).lines();
        let mut text = String::new();
        while let Ok(Some(line)) = lines.next_line().await {
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    /// Tells it to stop, as an init system does; how it ended, how long that took, what it said on standard error.
    async fn terminate(mut self) -> (ExitStatus, Duration, String) {
        let begun = Instant::now();
        let id = self.child.id().expect("it runs").to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().await.expect("kill").success());
        let complaint = self.complaint().await;
        let status = self.child.wait().await.expect("it ends");
        (status, begun.elapsed(), complaint)
    }

    /// The commands that it says to try.
    fn commands(&self) -> Vec<Vec<String>> {
        let lines = self.said.lines().filter_map(|line| line.trim().strip_prefix("detainerctl "));
        lines.map(|line| line.split(' ').map(str::to_owned).collect()).collect()
    }
}

async fn run(path: &str, folder: &Path, words: &[String]) -> Output {
    let done = program(path, folder).args(words).stdin(Stdio::null()).output();
    tokio::time::timeout(Duration::from_secs(60), done).await.expect("in time").expect("it runs")
}

/// Checks the tables against the journal; how many records were asked for by somebody, and not by the sweeper.
async fn replayed(fresh: &Fresh, folder: &Path) -> usize {
    let words = ["replay", "--check", "--database", &fresh.url].map(str::to_owned);
    let done = run(DETAINERD, folder, &words).await;
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    let rows = fresh.store.rows(&JOURNAL, "", &[]).await.unwrap();
    let records = rows.iter().map(|version| {
        let payload = version.row.get("payload").and_then(Cell::as_bytes).expect("its bytes");
        Record::decode(payload).expect("a record")
    });
    records.filter(|record| &*record.person == "admin").count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_sees_the_county_tries_the_commands_and_finds_it_again() {
    for fresh in common::engines().await {
        let folder = tempfile::tempdir().unwrap();
        let demo = Demo::start(&fresh, folder.path()).await;
        assert!(demo.said.starts_with("The rehearsal county is loaded: 60 stays"), "{}", demo.said);
        for word in ["N-01-running", "N-05-due-in-1h", "N-06-over", "resolution-2013", "memo-2017", "ice-2015"] {
            assert!(demo.said.contains(word), "{word} is not in\n{}", demo.said);
        }
        let token = folder.path().join("detainer-data/admin.token");
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(token).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);

        let commands = demo.commands();
        assert!(commands.len() >= 6, "{}", demo.said);
        for mut words in commands {
            words.retain(|word| word != "--watch");
            let done = run(DETAINERCTL, folder.path(), &words).await;
            let over = words.contains(&"N-06-over".to_owned());
            let said = String::from_utf8_lossy(&done.stdout);
            let complaint = String::from_utf8_lossy(&done.stderr);
            assert_eq!(done.status.code(), Some(if over { 3 } else { 0 }), "{words:?}\n{said}{complaint}");
            assert!(said.lines().count() > 1, "{words:?}\n{said}{complaint}");
        }
        let first = replayed(&fresh, folder.path()).await;

        let (status, took, complaint) = demo.terminate().await;
        assert_eq!(status.code(), Some(0), "{complaint}");
        assert!(took < Duration::from_secs(13), "it said 10 s, and took {took:?}");
        assert!(complaint.contains("detainerd: ready on 127.0.0.1:"), "{complaint}");
        assert!(complaint.contains("calls in progress have 10 s") && complaint.contains("detainerd: stopped"), "{complaint}");

        let again = Demo::start(&fresh, folder.path()).await;
        assert!(again.said.starts_with("The rehearsal county was there already; nothing was loaded."), "{}", again.said);
        assert!(again.said.contains("N-01-running"), "{}", again.said);
        assert_eq!(replayed(&fresh, folder.path()).await, first, "nothing was recorded twice");
        assert_eq!(again.terminate().await.0.code(), Some(0));
    }
}

#[tokio::test]
async fn a_demonstration_without_its_credential_says_what_is_missing() {
    let fresh = common::sqlite(common::options()).await;
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("detainer-data/admin.token");
    let demo = |words: &[&str]| {
        let mut all = vec!["demo", "--listen", "127.0.0.1:0", "--database", &fresh.url];
        all.extend(words);
        all.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    // The first credential goes to a folder of its own; the demonstration looks into another.
    let elsewhere = folder.path().join("elsewhere");
    let mut first = program(DETAINERD, folder.path());
    first.args(["serve", "--listen", "127.0.0.1:0", "--database", &fresh.url, "--data-dir"]).arg(&elsewhere);
    let mut first = first.stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(first.stderr.take().unwrap()).lines();
    while !lines.next_line().await.unwrap().expect("it gets ready").contains("ready on") {}
    first.kill().await.unwrap();
    std::fs::create_dir_all(token.parent().unwrap()).unwrap();
    std::fs::copy(elsewhere.join("master.key"), token.with_file_name("master.key")).unwrap();
    let done = run(DETAINERD, folder.path(), &demo(&[])).await;
    let complaint = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{complaint}");
    assert!(complaint.contains("first credential") && complaint.contains("admin.token"), "{complaint}");
}
