//! DOMAIN.md §8.20: identity appears in no log line, error text or journal record, nor in the database file. The real
//! programs, with everything logged that they and their libraries can log; a person with words that stand nowhere else.

mod common;

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

const DETAINERD: &str = env!("CARGO_BIN_EXE_detainerd");
const DETAINERCTL: &str = env!("CARGO_BIN_EXE_detainerctl");

/// A plainly synthetic person, the officer who took them, and a reason in words.
const MARKS: [&str; 5] = ["Qzsyntheticfamily", "Qzsyntheticgiven", "087654321", "1979-08-23", "Qzsyntheticwords"];

async fn ctl(folder: &Path, server: &str, words: &str) -> Output {
    let mut command = Command::new(DETAINERCTL);
    command.current_dir(folder).args(["--server", server, "--data-dir", "d", "--county", "c"]).args(words.split(' '));
    let done = command.stdin(Stdio::null()).kill_on_drop(true).output();
    tokio::time::timeout(Duration::from_secs(60), done).await.expect("in time").expect("it runs")
}

fn marked(bytes: &[u8]) -> Vec<&'static str> {
    let found = |mark: &&str| bytes.windows(mark.len()).any(|part| part.eq_ignore_ascii_case(mark.as_bytes()));
    MARKS.into_iter().filter(found).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn identity_is_in_no_log_no_error_no_record_and_no_file() {
    for fresh in common::engines().await {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(DETAINERD);
        command.current_dir(folder.path()).args([
            "serve",
            "--data-dir",
            "d",
            "--listen",
            "127.0.0.1:0",
            "--database",
            &fresh.url,
        ]);
        command.env("RUST_LOG", "trace").stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("it starts");
        let mut lines = BufReader::new(child.stderr.take().expect("its messages")).lines();
        let mut log = String::new();
        let server = loop {
            let line = lines.next_line().await.expect("text").expect("it goes on");
            log.push_str(&line);
            if let Some(rest) = line.split("ready on ").nth(1) {
                break format!("http://{}", rest.split(' ').next().expect("an address"));
            }
        };
        let logged = tokio::spawn(async move {
            let mut text = String::new();
            while let Ok(Some(line)) = lines.next_line().await {
                text.push_str(&line);
                text.push('\n');
            }
            text
        });

        let person =
            format!("--family-name {} --given-name {} --birth-date {} --a-number {}", MARKS[0], MARKS[1], MARKS[3], MARKS[2]);
        let good = [
            "county create c --name C --zone America/New_York".to_owned(),
            "facility create main --name Main --zone America/New_York".to_owned(),
            format!("booking create B1 --facility main --booked 2024-03-14T16:00:00Z --charge A --subject s1 {person}"),
            "detainer record B1 --id D1 --edition i247-2012-12 --received 2024-03-14T18:00:00Z --form-date 2024-03-14 --office MIA --component ice-ero --signed yes"
                .to_owned(),
            format!("booking close-basis B1 A --reason other --text {} --at 2024-03-15T21:00:00Z", MARKS[4]),
            format!("booking release B1 --kind federal-custody --at 2024-03-16T16:00:00Z --officer {} --agency ERO", MARKS[4]),
        ];
        for words in good {
            let done = ctl(folder.path(), &server, &words).await;
            assert!(done.status.success(), "{words}: {}", String::from_utf8_lossy(&done.stderr));
            assert_eq!(marked(&[done.stdout, done.stderr].concat()), Vec::<&str>::new(), "{words}");
        }
        let wrong = [
            // Another booking under the same id, a facility that is not there, a basis closed twice, a number of no such form.
            format!("booking create B1 --facility main --booked 2024-03-14T17:00:00Z --charge A --subject s2 {person}"),
            format!("booking create B2 --facility nowhere --booked 2024-03-14T17:00:00Z --charge A --subject s3 {person}"),
            format!("booking close-basis B1 A --reason other --text {} --at 2024-03-15T22:00:00Z", MARKS[4]),
            format!("booking release B1 --kind released --at 2024-03-17T16:00:00Z --officer {}", MARKS[4]),
        ];
        for words in wrong {
            let done = ctl(folder.path(), &server, &words).await;
            assert!(!done.status.success(), "{words}");
            assert_eq!(marked(&[done.stdout, done.stderr].concat()), Vec::<&str>::new(), "{words}");
        }
        let shown = ctl(folder.path(), &server, "booking show B1 --identity").await;
        assert!(marked(&shown.stdout).contains(&MARKS[0]), "it is kept: {}", String::from_utf8_lossy(&shown.stdout));

        let id = child.id().expect("it runs").to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().await.expect("kill").success());
        assert!(child.wait().await.expect("it ends").success());
        log.push_str(&logged.await.expect("the log"));
        assert!(log.contains("identity shown"), "everything was logged");
        assert_eq!(marked(log.as_bytes()), Vec::<&str>::new(), "in the log");

        for table in detainer::rows::tables::ALL {
            for version in fresh.store.rows(table, "", &[]).await.expect("rows") {
                for cell in version.row.cells() {
                    let bytes = cell.as_bytes().or(cell.as_text().map(str::as_bytes)).unwrap_or_default();
                    assert_eq!(marked(bytes), Vec::<&str>::new(), "in {}", table.name);
                }
            }
        }
    }
}
