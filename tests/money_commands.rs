//! Claims, books and the changes of a figure as people at a terminal meet them: the real programs, on both engines, with
//! figures worked out by hand.

mod common;

use common::program::{Serving, ctl, ctl_with, serve, text};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::path::Path;

/// A county of the year 2024: a day costs $231.70, one more person $19.00, and an agreement pays $113.00 of it. Two stays of
/// three calendar days: 5 to 7 October, and 30 October to 1 November.
struct Desk<'a> {
    folder: &'a Path,
    server: Serving,
}

const PERIOD: &str = "--from 2024-10-01 --to 2024-12-01";

impl<'a> Desk<'a> {
    async fn open(folder: &'a Path, fresh: &common::Fresh) -> Self {
        let server = serve(folder, &format!("--database {} --data-dir one", fresh.url)).await.expect("it starts");
        let desk = Self { folder, server };
        desk.does("county create c --name C --zone America/New_York").await;
        desk.does("facility create tgk --name TGK").await;
        desk.does("rate set --facility tgk --from 2024-01-01 --full-day 231.70 --marginal-day 19.00 --count calendar-day").await;
        // Twenty years to file, so that no day of the test is too late.
        let terms = "--per-diem 113.00 --count calendar-day --filing-window 7300 --title Agreement --dated 2024-01-05";
        desk.does(&format!("agreement create iga --counterparty ICE --signed 2024-01-05 --start 2024-01-10 {terms}")).await;
        let paper = "--adopted 2024-01-05 --effective 2024-01-05 --title Resolution --dated 2024-01-05";
        desk.does(&format!("policy switch honor-always --open-detainers leave {paper} --yes")).await;
        desk.held("M-1", "2024-10-05", "2024-10-07").await;
        desk.held("M-2", "2024-10-30", "2024-11-01").await;
        desk
    }

    async fn held(&self, booking: &str, from: &str, until: &str) {
        self.does(&format!("booking create {booking} --facility tgk --booked {from}+09:00 --charge A")).await;
        let form = format!("--edition i247-2012-12 --form-date {from} --office MIA");
        self.does(&format!("detainer record {booking} --id D --received {from}+10:00 {form}")).await;
        self.does(&format!("booking close-basis {booking} A --reason bail-posted --at {from}+12:00")).await;
        self.does(&format!("booking release {booking} --kind federal-custody --agency ICE --at {until}+11:00")).await;
    }

    fn words(words: &str) -> String {
        format!("--data-dir one --county c {words}")
    }

    async fn does(&self, words: &str) -> String {
        ctl(self.folder, &self.server, &Self::words(words)).await
    }

    /// The same for programs.
    async fn json(&self, words: &str) -> Value {
        serde_json::from_str(&self.does(&format!("{words} --format json")).await).expect("JSON")
    }

    /// What is said where it fails with this code.
    async fn fails(&self, code: i32, words: &str) -> String {
        let done = ctl_with(self.folder, &self.server, &Self::words(words), &[]).await;
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(code), "{words}: {}{said}", text(&done.stdout));
        said
    }

    fn file(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The last record.
    async fn now(&self) -> i64 {
        self.json("claim list").await["as_of_sequence"].as_i64().expect("a number")
    }
}

/// The cells of a row under some keys; amounts in cents.
fn cells(row: &Value, keys: &[&str]) -> Vec<String> {
    let shown = |cell: &Value| match cell {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.get("cents").unwrap_or(other).to_string(),
    };
    keys.iter().map(|key| shown(&row[key])).collect()
}

fn all(rows: &Value, keys: &[&str]) -> Vec<Vec<String>> {
    rows.as_array().expect("rows").iter().map(|row| cells(row, keys)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_is_made_billed_disputed_and_settled() {
    for fresh in common::engines().await {
        let folder = tempfile::tempdir().expect("a folder");
        let desk = Desk::open(folder.path(), &fresh).await;
        assert!(desk.does("claim list").await.contains("There is no claim."));

        // Tried, nothing is recorded; five of six days lie in October.
        let said = desk.does("claim create iga --through 2024-10-31 --try").await;
        assert_eq!(said, "Claim iga-1 of $565.00 in 5 lines of 2 holds: would be recorded; nothing was.\n");
        assert!(desk.does("claim list").await.contains("There is no claim."));
        let said = desk.does("claim create iga --through 2024-10-31 --request-id once").await;
        assert!(said.starts_with("Claim iga-1 of $565.00 in 5 lines of 2 holds: recorded at "), "{said}");
        assert_eq!(desk.does("claim create iga --through 2024-10-31 --request-id once").await, said, "told twice, it is one");
        let said = desk.fails(1, "claim create nobody --through 2024-10-31").await;
        assert!(said.contains("resource-not-found"), "{said}");
        let said = desk.fails(1, "claim pay iga-1 --amount 1.00").await;
        assert!(said.contains("was not billed yet") && said.contains("claim-state"), "{said}");

        // Those in a claim that nobody sends stay on the list: 7300 days after 7 October and 1 November.
        let due = desk.json("claim due --date 2044-10-01 --within 30").await;
        let keys = ["file_by_date", "days_left", "booking", "hold", "agreement", "amount", "claim"];
        assert_eq!(
            all(&due["rows"], &keys),
            [
                ["2044-10-02", "1", "M-1", "1", "iga", "33900", "iga-1"].map(str::to_owned),
                ["2044-10-27", "26", "M-2", "1", "iga", "33900", "iga-1"].map(str::to_owned),
            ]
        );
        assert_eq!(all(&desk.json("claim due --date 2044-10-01 --within 1").await["rows"], &["booking"]), [["M-1"]]);
        let none = desk.does("claim due --date 2030-01-01").await;
        assert!(none.contains("No hold has to be claimed within these days."), "{none}");

        let said = desk.does("claim bill iga-1 --reference INV-1").await;
        assert!(said.starts_with("Claim iga-1 billed; it is now billed, $565.00 outstanding: recorded at "), "{said}");
        // What is billed is done with; of the second stay the first of November is in no claim yet.
        let due = desk.json("claim due --date 2044-10-01 --within 30").await;
        assert_eq!(all(&due["rows"], &["booking", "amount", "claim"]), [["M-2", "11300", ""]]);
        let federal = "--source federal-agency --reference EFT-771";
        let steps = [
            ("pay iga-1 --amount $400.00", "paid; it is now partly settled, $165.00 outstanding"),
            ("deny iga-1 --amount 113", "denied; it is now partly settled, $165.00 outstanding"),
            ("dispute iga-1 --amount 113.00", "disputed; it is now partly settled, $165.00 outstanding"),
            ("deny iga-1 --amount 100.00", "denied; it is now partly settled, $165.00 outstanding"),
            ("write-off iga-1 --amount 100.00", "written off; it is now partly settled, $65.00 outstanding"),
            ("pay iga-1 --amount 65.00", "paid; it is now settled, $0.00 outstanding"),
            ("undo iga-1 7", "entry 7 undone; it is now partly settled, $65.00 outstanding"),
        ];
        for (words, expected) in steps {
            let said = desk.does(&format!("claim {words} {federal}")).await;
            assert!(said.starts_with(&format!("Claim iga-1 {expected}: recorded")), "{words}: {said}");
        }
        for (words, code, why) in [
            ("pay iga-1 --amount 65.01", 1, "is more than the 65.00 that is outstanding"),
            ("pay iga-1 --amount -1", 1, "must be an amount above zero"),
            ("undo iga-1 99", 2, "claim iga-1 has no entry 99"),
            ("undo iga-1 1", 1, "was billed already"),
            ("withdraw iga-1", 1, "was billed already"),
            ("show iga-9", 1, "claims/iga-9"),
            ("pay iga-1 --amount 1.005", 2, "is no amount"),
        ] {
            let said = desk.fails(code, &format!("claim {words}")).await;
            assert!(said.contains(why), "{words}: {said}");
        }

        // What is shown: the balance after each rule, every entry with its source, and the past as it was.
        let shown = desk.json("claim show iga-1").await;
        let keys = ["state", "claimed", "paid", "written_off", "outstanding", "open", "denied", "disputed"];
        assert_eq!(cells(&shown, &keys), ["partly-settled", "56500", "40000", "10000", "6500", "5200", "0", "1300"]);
        let entries = all(&shown["entries"], &["number", "act", "amount", "source", "reference", "undoes"]);
        assert_eq!(entries.len(), 8);
        assert_eq!(entries[0], ["1", "billed", "", "jail-record", "INV-1", ""]);
        assert_eq!(entries[7], ["8", "paid", "", "federal-agency", "EFT-771", "7"]);
        let then = shown["entries"][0]["sequence"].as_i64().expect("a number") - 1;
        let before = desk.json(&format!("claim show iga-1 --as-of {then}")).await;
        assert_eq!((&before["state"], before["entries"].as_array().map(Vec::len)), (&"assembled".into(), Some(0)));
        assert!(desk.does("claim show iga-1").await.contains("of it disputed"));

        // The report: what is owed and what became of it, by its age.
        let report = desk.json("claim report").await;
        let keys = ["owed", "unclaimed", "expired", "billed", "paid", "written_off", "outstanding", "age_0_to_30", "age_91_on"];
        let expected = ["67800", "11300", "0", "56500", "40000", "10000", "6500", "6500", "0"];
        assert_eq!(
            (cells(&report["rows"][0], &keys), cells(&report["total"], &keys)),
            (expected.map(str::to_owned).into(), expected.map(str::to_owned).into())
        );
        let later = desk.json("claim report --date 2044-01-01").await;
        assert_eq!(
            cells(&later["rows"][0], &["age_0_to_30", "age_91_on", "claims_91_on", "date"]),
            ["0", "6500", "1", "2044-01-01"]
        );
        let said = desk.does("claim report --date 2044-01-01").await;
        for part in ["What agreements owe", "91 AND MORE", "Days since billing are counted to 2044-01-01"] {
            assert!(said.contains(part), "{part}: {said}");
        }

        // The rest of the stay that goes over the month's end, taken back and claimed again; by state and agreement.
        let said = desk.does("claim create iga --through 2024-11-30 --id rest").await;
        assert!(said.starts_with("Claim rest of $113.00 in 1 lines of 1 holds"), "{said}");
        let said = desk.does("claim withdraw rest").await;
        assert!(said.starts_with("Claim rest withdrawn: its lines go to the next claim: recorded"), "{said}");
        desk.does("claim create iga --through 2024-11-30").await;
        let list = |rows: Value| all(&rows["rows"], &["claim", "state", "start_date", "end_date", "claimed", "outstanding"]);
        let listed = list(desk.json("claim list --agreement iga").await);
        assert_eq!(listed.len(), 3);
        assert_eq!(listed[0], ["iga-1", "partly-settled", "", "2024-11-01", "56500", "6500"]);
        let assembled = list(desk.json("claim list --state assembled").await);
        assert_eq!((assembled.len(), assembled[0][4].as_str()), (1, "11300"));
        desk.server.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lines_of_a_claim_are_the_same_in_every_form_and_engine() {
    let mut told = Vec::new();
    for fresh in common::engines().await {
        let folder = tempfile::tempdir().expect("a folder");
        let desk = Desk::open(folder.path(), &fresh).await;
        desk.does("claim create iga --through 2024-10-31").await;
        for form in ["csv", "jsonl", "xlsx", "html"] {
            let said = desk.does(&format!("claim lines iga-1 --out lines.{form}")).await;
            assert!(said.starts_with(&format!("lines.{form}: 5 rows as of record ")), "{said}");
            let manifest: Value = serde_json::from_slice(&desk.file(&format!("lines.{form}.manifest.json"))).expect("a manifest");
            let file = hex::encode(Sha256::digest(desk.file(&format!("lines.{form}"))));
            assert_eq!(manifest["files"][0]["sha256"], file, "{form}");
            assert_eq!((&manifest["report"], &manifest["manifest"]["row_count"]), (&"claim-lines".into(), &5.into()));
            assert_eq!(manifest["manifest"]["sha256"], hex::encode(Sha256::digest(desk.file("lines.csv"))), "the canonical file");
        }
        let csv = text(&desk.file("lines.csv"));
        assert_eq!(desk.does("claim lines iga-1 --format csv").await, csv);
        let lines: Vec<&str> = csv.split("\r\n").collect();
        let start = "own,M-2,1,tgk,2024-10-31,231.70,113.00,2044-10-27,MIA,2024-10-31T00:00:00-04:00,2024-11-01T00:00:00-04:00,";
        assert!(lines[5].starts_with(start), "{}", lines[5]);
        let page = text(&desk.file("lines.html"));
        assert!(page.contains("$565.00") && page.contains("The lines of claim iga-1"), "{page}");
        assert!(!page.contains("custody that goes on"), "nothing of it is in the lines of a claim");
        assert!(page.contains("<p>C</p>") && !page.contains("Policy revisions"), "it has no days and rests on no policy");
        for (name, command) in [("claims", "list"), ("report", "report --date 2044-01-01"), ("due", "due --date 2044-10-01")] {
            desk.does(&format!("claim {command} --out {name}.csv")).await;
            assert_eq!(text(&desk.file(&format!("{name}.csv"))).lines().count(), 2, "{name}");
        }
        // Which number a posting's record has depends on what the clock brought about in between.
        let header: Vec<&str> = lines[0].split(',').collect();
        let records = ["sequence", "number", "reverses_sequence"].map(|key| header.iter().position(|column| *column == key));
        let bare = |line: &&str| {
            let cells = line.split(',').enumerate().filter(|(n, _)| !records.contains(&Some(*n)));
            cells.map(|(_, cell)| cell.to_owned()).collect::<Vec<_>>()
        };
        told.push(lines.iter().map(bare).collect::<Vec<_>>());
        desk.server.end().await;
    }
    for other in &told[1..] {
        assert_eq!(*other, told[0], "both engines");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn books_are_closed_and_what_comes_later_shows_in_the_next() {
    for fresh in common::engines().await {
        let folder = tempfile::tempdir().expect("a folder");
        let desk = Desk::open(folder.path(), &fresh).await;
        assert!(desk.does("books list").await.contains("No books are closed"));
        let said = desk.does("books close 2024-11-01 --try").await;
        assert!(said.contains("Books up to 2024-10-31, that day included, closed: would be recorded"), "{said}");
        assert!(desk.does("books list").await.contains("No books are closed"));
        // Nobody is there to be asked, and nobody is: who called has decided.
        let said = desk.does("books close 2024-11-01").await;
        assert_eq!(desk.does("books close 2024-11-01 --yes").await, said, "closed once, it stays closed: nothing is recorded");
        let closed = desk.json("books list").await;
        assert_eq!(all(&closed["rows"], &["start_date", "end_date"]), [["", "2024-11-01"]]);
        for (day, why) in [("2024-10-01", "the next close ends later"), ("2999-01-01", "period-not-over")] {
            let said = desk.fails(1, &format!("books close {day} --yes")).await;
            assert!(said.contains(why), "{day}: {said}");
        }
        let before = desk.now().await;

        // M-1 left a day earlier: one of its days is taken back, in the books of November.
        let correction = "--ended --kind federal-custody --was-at 2024-10-06+11:00 --why log --reference log-77";
        desk.does(&format!("correction make M-1 {correction}")).await;
        let keys = ["month", "custody_month", "incurred", "covered", "absorbed", "marginal"];
        let cut = "--group-by month --group-by custody-month";
        let books = desk.json(&format!("report cost {PERIOD} {cut} --by-books")).await;
        assert_eq!(
            all(&books["rows"], &keys),
            [
                ["2024-10", "2024-10", "115850", "56500", "59350", "9500"],
                ["2024-11", "2024-10", "-23170", "-11300", "-11870", "-1900"],
                ["2024-11", "2024-11", "23170", "11300", "11870", "1900"],
            ]
        );
        let known = desk.json(&format!("report cost {PERIOD} --group-by month")).await;
        let known_keys = ["month", "incurred", "covered"];
        assert_eq!(all(&known["rows"], &known_keys), [["2024-10", "92680", "45200"], ["2024-11", "23170", "11300"]]);
        // All together the books and what is known come to the same, hours too.
        let sum = ["incurred", "covered", "absorbed", "duration"];
        assert_eq!(cells(&books["total"], &sum), cells(&known["total"], &sum));
        assert_eq!(books["total"]["duration"]["seconds"], (12 + 11 + 36 + 11) * 3600);
        let lines = desk.json(&format!("report cost-lines {PERIOD} --by-books")).await;
        let taken_back = |row: &&Value| row["reversal"] == true;
        assert_eq!(lines["rows"].as_array().expect("rows").iter().filter(taken_back).count(), 2);
        let said = desk.fails(2, &format!("report cost {PERIOD} --by-books --accrue-until now")).await;
        assert!(said.contains("--accrue-until"), "{said}");

        // Why the figure changed.
        let change = desk.json(&format!("report change {PERIOD} --before {before}")).await;
        let causes = all(&change["causes"], &["what", "change_count", "incurred", "covered", "absorbed"]);
        assert_eq!(
            causes,
            [
                ["before", "", "139020", "67800", "71220"],
                ["correction", "1", "-23170", "-11300", "-11870"],
                ["after", "", "115850", "56500", "59350"],
                ["residual", "", "0", "0", "0"],
            ]
        );
        assert_eq!(change["causes"][1]["duration"]["seconds"], -24 * 3600);
        assert_eq!(all(&change["changes"], &["booking", "incurred"]), [["M-1", "-23170"]]);
        let at = change["changes"][0]["record_time"].as_str().expect("a time").to_owned();
        let said = desk.does(&format!("report change {PERIOD} --before {before}")).await;
        for part in ["before: as of sequence", "residual", "correction", "M-1", "-$231.70"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        let nothing = desk.does(&format!("report change {PERIOD} --before {at}")).await;
        assert!(nothing.contains("Nothing changed between these two points."), "{nothing}");
        let said = desk.fails(1, &format!("report change {PERIOD} --before {} --as-of {before}", before + 1)).await;
        assert!(said.contains("before"), "{said}");
        desk.does(&format!("report change {PERIOD} --before {before} --out change.xlsx")).await;
        let manifest: Value = serde_json::from_slice(&desk.file("change.xlsx.manifest.json")).expect("a manifest");
        assert_eq!(all(&manifest["change"], &["what"]), [["before"], ["correction"], ["after"], ["residual"]]);
        assert_eq!(manifest["manifest"]["report_version"], "change/1");
        // As lines, the last of which has the difference between the two figures.
        desk.does(&format!("report change {PERIOD} --before {before} --out change.jsonl")).await;
        let lines = text(&desk.file("change.jsonl"));
        let last: Value = serde_json::from_str(lines.lines().last().expect("a line")).expect("JSON");
        assert_eq!(cells(&last["total"], &["cause", "incurred", "covered", "absorbed"]), ["total", "-23170", "-11300", "-11870"]);

        // The correction reaches a claim as an adjustment, and all claims together are what is owed.
        desk.does("claim create iga --through 2024-10-31").await;
        desk.does("claim create iga --through 2024-11-30").await;
        let owed = desk.json("claim report").await;
        assert_eq!(cells(&owed["total"], &["owed", "unclaimed", "assembled"]), ["56500", "0", "56500"]);
        desk.server.end().await;
    }
}

/// Every example that a help text has is taken by the command line it stands in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_about_money_has_an_example() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = serve(folder.path(), "--data-dir one").await.expect("it starts");
    let claims = ["create", "bill", "pay", "deny", "dispute", "write-off", "withdraw", "undo", "show", "lines", "list"];
    let claims = claims.iter().chain(&["report", "due"]).map(|name| format!("claim {name}"));
    let others = ["books close", "books list", "report change", "report cost-lines", "report cost"].map(str::to_owned);
    for command in claims.chain(others) {
        let help = ctl(folder.path(), &server, &format!("{command} --help")).await;
        let (_, rest) = help.split_once("Example: detainerctl ").unwrap_or_else(|| panic!("{command}: {help}"));
        let example = rest.split("\n\n").next().unwrap_or_default();
        assert!(example.starts_with(&command), "{example}");
        // There is no county yet: what it comes to is a refusal, never a command line that cannot be read.
        let tried = ctl_with(folder.path(), &server, &format!("--data-dir one --county none {example}"), &[]).await;
        assert_eq!(tried.status.code(), Some(1), "{example}: {}", text(&tried.stderr));
    }
    server.end().await;
}
