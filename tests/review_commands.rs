//! `detainerctl` where people stand in for the rule: reviews, facts and papers that were missing, overrides by two persons,
//! a county that asks two persons for a change of policy. The real programs, on both engines.

mod common;

use common::program::{Serving, ctl, ctl_with, serve, text};
use std::path::Path;

const I200: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// One county with two jails, and a second administrator.
struct Desk<'a> {
    folder: &'a Path,
    server: Serving,
}

impl<'a> Desk<'a> {
    async fn open(folder: &'a Path, fresh: &common::Fresh) -> Self {
        let server = serve(folder, &format!("--database {} --data-dir one", fresh.url)).await.expect("it starts");
        let desk = Self { folder, server };
        desk.does("county create c --name C --zone America/New_York").await;
        desk.does("facility create main --name Main").await;
        desk.does("facility create west --name West --zone America/Chicago").await;
        desk.does("token create --person bea --role administrator --out bea.token").await;
        desk
    }

    fn words(words: &str) -> String {
        format!("--data-dir one --county c {words}")
    }

    async fn does(&self, words: &str) -> String {
        ctl(self.folder, &self.server, &Self::words(words)).await
    }

    /// The same by the second administrator.
    async fn bea(&self, words: &str) -> String {
        self.does(&format!("--token-file bea.token {words}")).await
    }

    /// What is said where it fails with this code.
    async fn fails(&self, code: i32, words: &str) -> String {
        let done = ctl_with(self.folder, &self.server, &Self::words(words), &[]).await;
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(code), "{words}: {}{said}", text(&done.stdout));
        said
    }

    /// Books a person at a jail, and receives a form on them whose boxes and signature are told by `form`.
    async fn asked(&self, booking: &str, jail: &str, form: &str) -> String {
        self.does(&format!("booking create {booking} --facility {jail} --booked 2024-03-14T10:00:00Z --charge A")).await;
        let form = format!("--edition i247a --form-date 2024-03-14 --office MIA {form}");
        self.does(&format!("detainer record {booking} --id D --received 2024-03-14T12:00:00Z {form}")).await
    }

    /// Switches, long before anything happened.
    async fn switch(&self, mode: &str) {
        let paper = "--title Resolution --dated 2017-01-26 --adopted 2017-01-26 --effective 2017-01-26";
        self.does(&format!("policy switch {mode} --id rule --open-detainers reevaluate {paper} --yes")).await;
    }
}

/// A value of a sheet for people, by its heading.
fn value(said: &str, heading: &str) -> String {
    let line = said.lines().find_map(|line| line.trim().strip_prefix(heading));
    line.unwrap_or_else(|| panic!("{heading}: {said}")).trim().to_owned()
}

/// The command that a proposal asks the second person to give.
fn asked_of_second(said: &str) -> String {
    let line = said.lines().find_map(|line| line.strip_prefix("They say: detainerctl "));
    line.unwrap_or_else(|| panic!("{said}")).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_review_is_listed_and_resolved() {
    for fresh in common::engines().await {
        let folder = tempfile::tempdir().expect("a folder");
        let desk = Desk::open(folder.path(), &fresh).await;
        desk.switch("honor-always").await;
        assert!(desk.does("review list").await.contains("Nothing waits for review."));
        for (booking, jail) in [("B-1", "main"), ("B-2", "west")] {
            let said = desk.asked(booking, jail, &format!("--i200 {I200}")).await;
            assert!(said.contains("NEEDS REVIEW") || said.contains("NEEDS-REVIEW"), "{said}");
        }
        let queue = desk.does("review list --format json").await;
        let queue: serde_json::Value = serde_json::from_str(&queue).expect("JSON");
        let rows = queue["rows"].as_array().expect("rows");
        assert_eq!(rows.iter().map(|row| row["booking"].as_str().unwrap_or_default()).collect::<Vec<_>>(), ["B-1", "B-2"]);
        for row in rows {
            assert_eq!((row["detainer"].as_str(), row["reason"].as_str()), (Some("D"), Some("facial-sufficiency-unknown")));
            assert!(row["age_hours"].as_i64().is_some_and(|hours| hours > 24 * 365), "{row}");
            assert!(row["missing"].as_str().is_some_and(|missing| !missing.is_empty()), "{row}");
        }
        assert_eq!(rows[1]["effective_time"], "2024-03-14T07:00:00-05:00", "in the zone of the jail");
        let west = desk.does("review list --facility west").await;
        assert!(west.contains("B-2") && !west.contains("B-1"), "{west}");
        let other = desk.does("review list --reason fact-unknown").await;
        assert!(other.contains("Nothing waits for review."), "{other}");

        // The form is read again; without its boxes it would be declined.
        desk.fails(2, "review resolve B-1 D").await;
        desk.fails(2, "review resolve B-1 D --decline no --read-at 2024-03-14T16:00:00Z").await;
        let read = "review resolve B-1 D --read-at 2024-03-14T16:00:00Z --signed yes";
        let said = desk.does(&format!("{read} --validate-only")).await;
        assert!(said.contains("Review of D: DECLINE: would be recorded; nothing was."), "{said}");
        assert!(desk.does("review list").await.contains("B-1"));
        let said = desk.does(&format!("{read} --biometric-match --source detainer-form")).await;
        assert!(said.contains("Review of D: HONOR: recorded at"), "{said}");
        let said = desk.fails(1, &format!("{read} --biometric-match")).await;
        assert!(said.contains("does not wait for review"), "{said}");

        // The other is declined, for good.
        let said = desk.does("review resolve B-2 D --decline withdrawn+by+telephone").await;
        assert!(said.contains("Review of D: DECLINE: recorded at"), "{said}");
        let shown = desk.does("detainer show B-2 D").await;
        assert_eq!((value(&shown, "answer"), value(&shown, "because")), ("DECLINE".into(), "declined in review".into()));
        assert!(desk.does("review list").await.contains("Nothing waits for review."));
        desk.server.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_missing_is_recorded_and_answers_the_review() {
    for fresh in common::engines().await {
        let folder = tempfile::tempdir().expect("a folder");
        let desk = Desk::open(folder.path(), &fresh).await;
        let rule = "format = 1\nid = \"rule\"\ntitle = \"t\"\njurisdiction = \"J\"\nstate = \"FL\"\nlevel = \"county\"\n\
                    zone = \"America/New_York\"\ntext = \"t\"\nconfidence = \"made up\"\nsources = [\"none\"]\n\
                    adopted = 2017-01-26\neffective = 2017-01-26\ninstrument = { title = \"R\", date = 2017-01-26 }\n\
                    mode = \"conditional\"\nfacial = \"not-required\"\n\
                    condition = { any = [{ registry = [\"sex\"] }, { conviction = { classes = [\"robbery\"] } }, \
                    { pending_charge = { classes = [\"arson\"], magistrate_found = true } }, { booking_form = true }] }\n\
                    [[example]]\nname = \"unknown\"\nat = 2024-03-14\nform = \"I-247A\"\n\
                    expect = { hold = \"review\", reason = \"rule-unknown\" }\n";
        std::fs::write(folder.path().join("rule.toml"), rule).expect("written");
        desk.does("policy check rule.toml").await;
        desk.does("policy activate rule.toml --yes").await;
        let facts = [
            ("B-1", "--status registry --is yes --lists sex", "HONOR"),
            ("B-2", "--conviction robbery --convicted-on 2010-05-01 --written-proof", "HONOR"),
            ("B-3", "--charge arson,trespass --magistrate-found yes", "HONOR"),
            ("B-4", "--paper i203", "HONOR"),
            ("B-5", "--records-checked both", "NEEDS-REVIEW"),
            ("B-6", "--charge arson --magistrate-found unknown", "NEEDS-REVIEW"),
            ("B-7", "--judicial-warrant yes", "NEEDS-REVIEW"),
        ];
        for (booking, fact, answer) in facts {
            desk.asked(booking, "main", "--signed yes --biometric-match").await;
            assert!(desk.does("review list").await.contains(booking));
            desk.does(&format!("booking fact {booking} {fact} --at 2024-03-14T13:00:00Z")).await;
            let shown = desk.does(&format!("detainer show {booking} D --format json")).await;
            let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
            assert_eq!(shown["outcome"].as_str().map(str::to_uppercase), Some(answer.into()), "{fact}");
            assert_eq!(desk.does("review list").await.contains(booking), answer != "HONOR", "{fact}");
        }
        // Nothing else makes it: with the registry answered too, what is checked and not there is not so.
        desk.does("booking fact B-5 --status registry --is no --at 2024-03-14T13:10:00Z").await;
        let shown = desk.does("detainer show B-5 D").await;
        assert_eq!((value(&shown, "answer"), value(&shown, "because")), ("DECLINE".into(), "condition not met".into()));
        for wrong in [
            "--status registry",
            "--age 20 --bail 5",
            "--is yes --age 20",
            "--serving --charge arson",
            "--magistrate-found yes --conviction robbery",
            "",
        ] {
            desk.fails(2, &format!("booking fact B-6 {wrong} --at 2024-03-14T13:00:00Z")).await;
        }
        desk.server.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paper_that_came_later_is_attached() {
    for fresh in common::engines().await {
        let folder = tempfile::tempdir().expect("a folder");
        let desk = Desk::open(folder.path(), &fresh).await;
        desk.switch("honor-always").await;
        std::fs::write(folder.path().join("warrant.pdf"), "a warrant").expect("written");
        let said = desk.asked("B-1", "main", "--signed yes --biometric-match").await;
        assert!(said.contains("DECLINE"), "{said}");
        let attach = "detainer attach B-1 D i200 --at 2024-03-14T13:00:00Z";
        desk.fails(2, attach).await;
        desk.fails(2, &format!("{attach} --sha256 xyz")).await;
        desk.fails(1, &format!("{attach} --file not-there.pdf")).await;
        let said = desk.does(&format!("{attach} --file warrant.pdf")).await;
        assert!(said.contains("Paper of D: HONOR: recorded at"), "{said}");
        desk.server.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_persons_override_and_take_it_back() {
    for fresh in common::engines().await {
        let folder = tempfile::tempdir().expect("a folder");
        let desk = Desk::open(folder.path(), &fresh).await;
        desk.switch("require-reimbursement-guarantee").await;
        let said = desk.asked("B-1", "main", &format!("--signed yes --biometric-match --i200 {I200}")).await;
        assert!(said.contains("DECLINE"), "{said}");

        let wanted = "detainer override B-1 D honor --why order+of+the+sheriff --reference memo-7";
        let said = desk.does(&format!("{wanted} --validate-only")).await;
        assert!(said.contains("would be proposed to a second person; nothing was recorded"), "{said}");
        assert!(desk.does("correction list").await.contains("Nothing waits for a second person."));
        let said = desk.does(wanted).await;
        assert!(said.contains("Nothing has changed yet: a second person must confirm it."), "{said}");
        assert_eq!(value(&said, "proposed by"), "admin");
        let expires = value(&said, "expires");
        assert!(expires.ends_with("EST") || expires.ends_with("EDT"), "in the county's zone: {expires}");
        let confirm = asked_of_second(&said);
        assert!(confirm.starts_with("detainer confirm "), "{confirm}");
        let listed = desk.does("correction list").await;
        assert!(listed.contains("detainer D overridden: honor"), "{listed}");
        assert_eq!(value(&desk.does("detainer show B-1 D").await, "answer"), "DECLINE");

        // Not by the same person, not of other content, not with what is no digest.
        let said = desk.fails(1, &confirm).await;
        assert!(said.contains("[second-person-required]"), "{said}");
        let (other, digest) = confirm.rsplit_once(' ').expect("a digest");
        assert_eq!(digest.len(), 64);
        let said = desk.fails(1, &format!("--token-file bea.token {other} {}", "e3".repeat(32))).await;
        assert!(said.contains("[proposal-differs]"), "{said}");
        desk.fails(2, &format!("--token-file bea.token {other} xyz")).await;
        assert_eq!(value(&desk.does("detainer show B-1 D").await, "answer"), "DECLINE");
        let said = desk.bea(&confirm).await;
        assert!(said.contains("recorded at"), "{said}");
        let shown = desk.does("detainer show B-1 D").await;
        assert_eq!((value(&shown, "answer"), value(&shown, "because")), ("HONOR".into(), "overridden".into()));
        assert_eq!(value(&shown, "overridden "), "honor, while rule governs");
        let said = desk.fails(1, &format!("--token-file bea.token {confirm}")).await;
        assert!(said.contains("[proposal-confirmed]"), "{said}");
        let said = desk.fails(1, wanted).await;
        assert!(said.contains("[override-without-effect]"), "{said}");

        // Taken back, the rule answers again.
        let said = desk.bea("detainer override B-1 D rule --why the+order+was+withdrawn").await;
        desk.does(&asked_of_second(&said)).await;
        let shown = desk.does("detainer show B-1 D").await;
        assert_eq!((value(&shown, "answer"), value(&shown, "because")), ("DECLINE".into(), "no guarantee".into()));
        desk.server.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_county_asks_two_persons_for_a_change_of_policy() {
    for fresh in common::engines().await {
        let folder = tempfile::tempdir().expect("a folder");
        let desk = Desk::open(folder.path(), &fresh).await;
        desk.switch("honor-always").await;
        let flags = async || {
            let all: serde_json::Value = serde_json::from_str(&desk.does("county list --format json").await).expect("JSON");
            let row = &all["rows"][0];
            (row["two_person_switch"].as_bool(), row["policy_preview_required"].as_bool(), row["display_name"].clone())
        };
        desk.fails(2, "county update c").await;
        desk.fails(2, "county update c --two-persons maybe").await;
        desk.does("county update c --two-persons yes --validate-only").await;
        assert_eq!(flags().await, (Some(false), Some(false), "C".into()));
        desk.does("county update c --two-persons yes --preview-required yes").await;
        assert_eq!(flags().await, (Some(true), Some(true), "C".into()));
        desk.does("county update c --name Dade").await;
        assert_eq!(flags().await, (Some(true), Some(true), "Dade".into()), "what is not named stays");

        let change = "policy switch decline-all --id second --open-detainers reevaluate --title Memo --dated 2024-03-01 \
                      --adopted 2024-03-01 --yes";
        let said = desk.does(change).await;
        assert!(said.contains("asks two persons for a change of policy"), "{said}");
        assert_eq!(value(&said, "proposed by"), "admin");
        let expires = value(&said, "expires");
        assert!(expires.ends_with("EST") || expires.ends_with("EDT"), "in the county's zone: {expires}");
        let confirm = asked_of_second(&said);
        let listed = desk.does("correction list --format csv").await;
        assert!(listed.contains("policy second: decline all from ") && listed.contains(",admin,"), "{listed}");
        assert!(desk.does("policy show").await.contains("honor always"));
        let said = desk.fails(1, &confirm).await;
        assert!(said.contains("[second-person-required]"), "{said}");
        desk.bea(&confirm).await;
        let shown = desk.does("policy show second").await;
        assert!(shown.contains("author: admin") && shown.contains("confirmed by: bea"), "{shown}");

        // One person is enough where the county says so again.
        desk.does("county update c --two-persons no").await;
        assert_eq!(flags().await, (Some(false), Some(true), "Dade".into()));
        let said = desk.does(&change.replace("second", "third").replace("decline-all", "notify-only")).await;
        assert!(said.contains("Policy notify-only"), "{said}");
        desk.server.end().await;
    }
}
