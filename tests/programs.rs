//! What the two programs do at a terminal, as the documentation says they do: the real ones, in an empty folder.

mod common;

use common::program::{ctl, serve};

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
