//! What the two programs do at a terminal, as the documentation says they do: the real ones, in an empty folder.

mod common;

use common::program::{ctl, ctl_with, serve, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_of_one_database_share_its_master_key_or_do_not_start() {
    for fresh in common::engines().await {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let on = |words: &str| format!("--database {} {words}", fresh.url);
        let first = serve(folder, &on("--data-dir one")).await.expect("the first server starts");
        ctl(folder, &first, "--data-dir one county create c --name C --zone America/New_York").await;

        // Another data folder, and no key in it: none is made, and what to do is said in one line.
        let refused = serve(folder, &on("--data-dir two")).await.err().expect("it has no key");
        assert_eq!(refused.lines().count(), 1, "{refused}");
        for part in ["two/master.key", "could not open what is in this database", "--master-key", "DETAINERD_MASTER_KEY_FILE"] {
            assert!(refused.contains(part), "{part}: {refused}");
        }
        assert!(!folder.join("two/master.key").exists(), "no key is made beside a database that has one");

        // A key of its own.
        std::fs::write(folder.join("two/master.key"), "7a".repeat(32)).expect("written");
        std::fs::set_permissions(folder.join("two/master.key"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .expect("mode");
        let refused = serve(folder, &on("--data-dir two")).await.err().expect("it has another key");
        assert_eq!(refused.lines().count(), 1, "{refused}");
        assert!(refused.contains("two/master.key does not open the keys in this database"), "{refused}");

        // The first server's key, named: the second server writes and reads what the first sealed.
        let second = serve(folder, &on("--data-dir two --master-key one/master.key")).await.expect("it has the key");
        let both = "--data-dir one --county c";
        ctl(folder, &first, &format!("{both} facility create main --name Main --zone America/New_York")).await;
        let create =
            "booking create B1 --facility main --booked 2024-03-14T16:00:00Z --charge A --subject s1 --family-name Synthetic";
        ctl(folder, &first, &format!("{both} {create}")).await;
        let shown = ctl(folder, &second, &format!("{both} booking show B1 --identity")).await;
        assert!(shown.contains("Synthetic"), "{shown}");
        first.end().await;
        second.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_is_its_first_servers_even_while_it_is_empty() {
    for fresh in common::engines().await {
        let folder = tempfile::tempdir().expect("a folder");
        let on = |words: &str| format!("--database {} {words}", fresh.url);
        serve(folder.path(), &on("--data-dir one")).await.expect("the first server starts").end().await;
        let refused = serve(folder.path(), &on("--data-dir two")).await.err().expect("it has no key");
        assert!(refused.contains("there is no master key file two/master.key"), "{refused}");
        serve(folder.path(), &on("--data-dir one")).await.expect("the first starts again").end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_moved_without_its_master_key_is_not_opened_under_a_new_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    serve(folder, "--data-dir one").await.expect("it starts").end().await;
    std::fs::create_dir(folder.join("two")).expect("a folder");
    for entry in std::fs::read_dir(folder.join("one")).expect("its files") {
        let file = entry.expect("a file").path();
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        if name.starts_with("detainer.db") {
            std::fs::copy(&file, folder.join("two").join(name)).expect("copied");
        }
    }
    let refused = serve(folder, "--data-dir two").await.err().expect("the key stayed behind");
    assert!(refused.contains("there is no master key file two/master.key"), "{refused}");
    std::fs::copy(folder.join("one/master.key"), folder.join("two/master.key")).expect("copied");
    serve(folder, "--data-dir two").await.expect("it has its key").end().await;
}

/// What the quick start types first, and then a second county of another place, as docs/real-data.md does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_county_has_a_token_file_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let server = serve(folder, "--data-dir detainer-data").await.expect("it starts");
    for (county, zone) in [("dade", "America/New_York"), ("wa", "America/Los_Angeles"), ("cook", "America/Chicago")] {
        ctl(folder, &server, &format!("county create {county} --name {county} --zone {zone}")).await;
        ctl(folder, &server, &format!("facility create --county {county} main --name Main --zone {zone}")).await;
    }
    let booking = "booking create B1 --facility main --booked 2024-03-14T16:00:00Z --charge A --subject s1";
    let said = ctl(folder, &server, "token create --county dade --person dade-desk --role records --save").await;
    assert!(said.contains("records.dade.token"), "{said}");
    // No token of its own: the first credential does it, and not that of the other county.
    ctl(folder, &server, &format!("--county wa {booking}")).await;
    ctl(folder, &server, "token create --county cook --person cook-desk --role records --save").await;
    for (county, person) in [("dade", "dade-desk"), ("cook", "cook-desk")] {
        ctl(folder, &server, &format!("--county {county} {booking}")).await;
        let events = ctl(folder, &server, &format!("--county {county} events --format csv")).await;
        assert!(events.contains(person), "{events}");
    }
    let again = ctl_with(folder, &server, "token create --county dade --person other --role records --save", &[]).await;
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("records.dade.token is there already"), "{}", text(&again.stderr));

    // A refusal says which file the credential came from; a variable that is empty names none.
    let file = "detainer-data/records.dade.token";
    let wrong = ctl_with(folder, &server, &format!("--county wa --token-file {file} booking list"), &[]).await;
    assert!(text(&wrong.stderr).contains("not bound to this county"), "{}", text(&wrong.stderr));
    assert!(text(&wrong.stderr).contains(file), "{}", text(&wrong.stderr));
    let empty = ctl_with(folder, &server, "--county wa booking list", &[("DETAINERCTL_TOKEN_FILE", "")]).await;
    assert!(empty.status.success(), "{}", text(&empty.stderr));
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_of_another_width_is_rejected_and_the_import_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let server = serve(folder, "--data-dir detainer-data").await.expect("it starts");
    ctl(folder, &server, "county create c --name C --zone America/New_York").await;
    let mapping = r#"
        format = 1
        title = "Three columns"
        source_name = "three-columns"
        assumptions = []
        [file]
        row_id = "{id}"
        [time]
        zone = "America/New_York"
        formats = ["%Y-%m-%d %H:%M"]
        [facility]
        id = "main"
        name = "Main"
        [booking]
        id = "{id}"
        booked = "{booked}"
        bases = "not-known"
    "#;
    std::fs::write(folder.join("map.toml"), mapping).expect("written");
    let rows = "id,booked,note\nN1,2024-03-14 12:00,x\nN2,2024-03-14 13:00\nN3,2024-03-14 14:00,x,y,z\nN4,2024-03-14 15:00,x\n";
    std::fs::write(folder.join("rows.csv"), rows).expect("written");
    let words = "--county c import rows.csv --map map.toml --rejects rejects.csv --quiet";
    let done = ctl_with(folder, &server, words, &[]).await;
    assert_eq!(done.status.code(), Some(5), "{}", text(&done.stderr));
    let said = text(&done.stdout);
    for (what, count) in [("rows", "4"), ("recorded now", "2"), ("rejected", "2")] {
        let found = said.lines().any(|line| line.trim().starts_with(what) && line.trim().ends_with(count));
        assert!(found, "{what} {count}:\n{said}");
    }
    let rejects = std::fs::read_to_string(folder.join("rejects.csv")).expect("it is there");
    let lines: Vec<&str> = rejects.lines().collect();
    assert_eq!(lines.len(), 3, "{rejects}");
    assert_eq!(lines[0], "id,booked,note,reject_line,reject_reason");
    assert!(lines[1].starts_with("N2,2024-03-14 13:00,,3,") && lines[1].contains("it has 2 columns"), "{rejects}");
    assert!(lines[2].starts_with("N3,2024-03-14 14:00,x,y,z,4,") && lines[2].contains("it has 5 columns"), "{rejects}");
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_are_told_in_the_countys_zone_and_in_utc_where_that_is_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let server = serve(folder, "--data-dir detainer-data").await.expect("it starts");
    // Phoenix has one time all year: MST.
    ctl(folder, &server, "county create c --name C --zone America/Phoenix").await;
    let told = [
        "facility create main --name Main --zone America/Phoenix",
        "rate set --facility main --from 2024-01-01 --full-day 126.00 --count hourly",
        "booking create B1 --facility main --booked 2024-03-14T16:00:00Z --charge A --subject s1",
        "rate list",
        "agreement list",
        "report cost --from 2024-03-01 --to 2024-04-01",
        "report decisions --from 2024-03-01 --to 2024-04-01",
        "report holds --from 2024-03-01 --to 2024-04-01",
    ];
    for (n, words) in told.into_iter().enumerate() {
        let said = ctl(folder, &server, &format!("--county c {words}")).await;
        assert!(said.contains(" MST") && !said.contains("UTC"), "{words}: {said}");
        if n > 2 {
            let said = ctl(folder, &server, &format!("--county c --utc {words}")).await;
            assert!(said.contains(" UTC") && !said.contains("MST"), "{words}: {said}");
        }
    }
    let said = ctl(folder, &server, "--county c --utc facility create annex --name Annex --zone America/Phoenix").await;
    assert!(said.contains(" UTC") && !said.contains("MST"), "{said}");
    server.end().await;
}

/// The example of the help, typed as it stands there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_of_detainer_record_is_honored() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let server = serve(folder, "--data-dir detainer-data").await.expect("it starts");
    ctl(folder, &server, "county create c --name C --zone America/New_York").await;
    let told = [
        "facility create main --name Main --zone America/New_York",
        "policy switch honor-always --adopted 2017-01-26 --effective 2017-01-26 --open-detainers leave --title Memo --dated 2017-01-26",
        "booking create 2024-000123 --facility main --booked 2024-03-14T16:00:00Z --charge A --subject s1",
    ];
    for words in told {
        ctl(folder, &server, &format!("--county c {words}")).await;
    }
    let help = ctl(folder, &server, "detainer record --help").await;
    let (_, rest) = help.split_once("Example: detainerctl ").expect("an example");
    let example = rest.split("\n\n").next().unwrap_or_default();
    // Within quotes a space belongs to the word.
    let parts = example.split('"').enumerate();
    let example: String = parts.map(|(n, part)| if n % 2 == 1 { part.replace(' ', "+") } else { part.to_owned() }).collect();
    let said = ctl(folder, &server, &format!("--county c {example}")).await;
    assert!(said.contains("answered HONOR "), "{said}");
    server.end().await;
}

/// A clerk asks before a form comes in, and reads the answer to one that came, in either language.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_explained_and_an_answer_told_in_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let server = serve(folder, "--data-dir detainer-data").await.expect("it starts");
    ctl(folder, &server, "county create c --name C --zone America/New_York").await;
    ctl(folder, &server, "facility create --county c main --name Main --zone America/New_York").await;
    let switch = "policy switch require-reimbursement-guarantee --county c --adopted 2013-12-03 --effective 2014-01-01 \
                  --open-detainers leave --title Resolution+R-1 --dated 2013-12-03 --yes";
    ctl(folder, &server, switch).await;
    let before = ctl(folder, &server, "--county c events --format csv").await;
    let ask = "--county c policy explain --facility main --office MIA --document i200 --at 2024-03-15T14:00:00Z --format json";
    let told = ctl(folder, &server, ask).await;
    for part in ["\"decline\"", "no-guarantee", "This detainer is declined because no signed agreement", "Resolution R-1"] {
        assert!(told.to_lowercase().contains(&part.to_lowercase()), "{part}: {told}");
    }
    let told = ctl(folder, &server, &format!("{ask} --guarantee all-costs --language es")).await;
    for part in ["guaranteed", "Esta solicitud de retención migratoria se acepta porque", "2024-03-17"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    // A rule of a file, tried on the same request.
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/king-2014.toml");
    let told = ctl(folder, &server, &ask.replace("explain", &format!("explain {file}"))).await;
    assert!(told.contains("which is not in force"), "{told}");
    assert_eq!(ctl(folder, &server, "--county c events --format csv").await, before, "nothing was recorded");
    let wrong = ctl_with(folder, &server, &ask.replace("main", "nowhere"), &[]).await;
    assert!(!wrong.status.success() && text(&wrong.stderr).contains("facilities/nowhere"), "{}", text(&wrong.stderr));

    let book = "--county c booking create B1 --facility main --booked 2024-03-14T16:00:00Z --charge A --subject s1";
    ctl(folder, &server, book).await;
    let record =
        "--county c detainer record B1 --edition i247n --received 2024-03-15T14:00:00Z --form-date 2024-03-15 --office MIA";
    ctl(folder, &server, record).await;
    let shown = ctl(folder, &server, "--county c detainer show B1 --language es").await;
    assert!(shown.contains("porque el formulario no pide que se retenga a la persona."), "{shown}");
    let shown = ctl(folder, &server, "--county c detainer show B1").await;
    assert!(shown.contains("because the form does not ask for a hold."), "{shown}");
    server.end().await;
}
