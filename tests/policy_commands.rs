//! `detainerctl policy` with files, against a real server on both engines: days that a file does not tell, a chain as a
//! county's history, a revision as a listing.

mod common;

use common::program::{Serving, ctl, ctl_with, serve, text};
use std::path::Path;

/// What a command line that is refused says.
async fn refused(folder: &Path, server: &Serving, words: &str) -> String {
    let done = ctl_with(folder, server, words, &[]).await;
    assert_eq!(done.status.code(), Some(2), "{words}: {}{}", text(&done.stdout), text(&done.stderr));
    text(&done.stderr)
}

fn policy(name: &str) -> String {
    format!("{}/policies/{name}.toml", env!("CARGO_MANIFEST_DIR"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chain_is_loaded_as_history_and_its_revisions_are_listed() {
    for fresh in common::engines().await {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let server = serve(folder, &format!("--database {} --data-dir one", fresh.url)).await.expect("it starts");
        ctl(folder, &server, "--data-dir one county create c --name C --zone America/New_York").await;
        let on = |words: &str| format!("--data-dir one --county c policy {words}");
        let chain = policy("chains/miami-dade");

        // All that no source tells is asked for at once, and nothing is recorded.
        let said = refused(folder, &server, &on(&format!("activate {chain}"))).await;
        for part in ["pre2013.toml tells no `adopted`", "gimenez-2017.toml tells no `adopted`", "--dated", "--effective"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        let said = refused(folder, &server, &on(&format!("activate {chain} --adopted 2013-01-01"))).await;
        assert!(said.contains("ID=2013-01-01"), "{said}");
        let days = "--effective 2009-01-01 --adopted miami-dade-pre2013=2009-01-01 --dated miami-dade-pre2013=2009-01-01 \
                    --adopted miami-dade-gimenez-2017=2017-01-26 --adopted florida-ch908=2019-06-14 \
                    --dated florida-ch908=2019-06-14";
        let said = ctl(folder, &server, &on(&format!("activate {chain} {days} --validate-only"))).await;
        assert!(said.contains("nothing was recorded"), "{said}");
        let said = ctl(folder, &server, &on("history")).await;
        assert!(said.contains("No policy was ever adopted"), "{said}");

        let said = ctl(folder, &server, &on(&format!("activate {chain} {days}"))).await;
        let steps = ["miami-dade-pre2013", "miami-dade-R-1008-13", "miami-dade-gimenez-2017", "florida-ch908"];
        let places: Vec<Option<usize>> = steps.iter().map(|step| said.find(step)).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{said}");
        let history = ctl(folder, &server, &on("history --format csv")).await;
        for (step, from) in steps.iter().zip(["2009-01-01", "2014-01-01", "2017-01-26", "2019-07-01"]) {
            assert!(history.lines().any(|line| line.contains(step) && line.contains(from)), "{step} {from}: {history}");
        }
        let said = refused(folder, &server, &on(&format!("activate {chain} {days}"))).await;
        assert!(said.contains("there is a policy already"), "{said}");

        // A revision of the county as a file would be listed.
        let said = ctl(folder, &server, &on("show miami-dade-R-1008-13")).await;
        let listed = ctl(folder, &server, &on(&format!("show {}", policy("miami-dade-R-1008-13")))).await;
        let tree = |text: &str| {
            let lines = text.lines().skip_while(|line| !line.trim().starts_with("honored where:"));
            lines.take_while(|line| !line.trim().starts_with("examples:")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert!(tree(&said).len() > 3, "{said}");
        assert_eq!(tree(&said), tree(&listed));
        assert!(said.contains("state: activated") && said.contains("adopted: 2013-12-03"), "{said}");

        // A digest that is not that of its preview: nothing is made.
        let wrong = format!("activate {} --effective now --yes --digest {}", policy("king-2014"), "e3".repeat(32));
        let said = refused(folder, &server, &on(&wrong)).await;
        assert!(said.contains("nothing was made"), "{said}");
        let done = ctl_with(folder, &server, &on("show king-2014"), &[]).await;
        assert!(!done.status.success(), "{}", text(&done.stdout));

        // A file of which the source tells no days; one that tells another; days of what is no file.
        let suffolk = policy("suffolk-ny-2016");
        let said = refused(folder, &server, &on(&format!("make {suffolk}"))).await;
        assert!(said.contains("tells no `adopted`") && said.contains("--adopted"), "{said}");
        ctl(folder, &server, &on(&format!("make {suffolk} --adopted 2016-12-01 --dated 2016-12-01"))).await;
        let said = ctl(folder, &server, &on("show suffolk-ny-2016")).await;
        assert!(said.contains("made, not activated") && said.contains("adopted: 2016-12-01"), "{said}");
        let said = refused(folder, &server, &on(&format!("make {} --adopted 2013-12-04", policy("miami-dade-R-1008-13")))).await;
        assert!(said.contains("says `adopted = 2013-12-03`"), "{said}");
        let said = refused(folder, &server, &on("preview suffolk-ny-2016 --adopted 2016-12-01")).await;
        assert!(said.contains("go only with a policy file"), "{said}");
        server.end().await;
    }
}
