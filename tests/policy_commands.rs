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

        // It stops at its third step, as somebody made another rule under that id; what is done is done, and told.
        let third = std::fs::read_to_string(policy("miami-dade-gimenez-2017")).expect("the policy");
        let other = third.replacen("title = \"", "title = \"Another: ", 1);
        let other = other.replacen("mode = \"honor-always\"", "mode = \"decline-all\"", 1);
        assert_ne!(other, third);
        std::fs::write(folder.join("other.toml"), other).expect("written");
        ctl(folder, &server, "--data-dir one county create d --name D --zone America/New_York").await;
        let at_d = |words: &str| format!("--data-dir one --county d policy {words}");
        ctl(folder, &server, &at_d("make other.toml --adopted 2017-01-26")).await;
        let stopped = ctl_with(folder, &server, &at_d(&format!("activate {chain} {days} --yes")), &[]).await;
        let said = text(&stopped.stderr);
        assert_eq!(stopped.status.code(), Some(1), "{said}");
        assert!(said.contains("It stopped at miami-dade-gimenez-2017: 2 of 4 are activated"), "{said}");

        // A chain that was loaded in part goes on from there; whole, it is recognized and nothing is recorded.
        let links = std::fs::read_to_string(&chain)
            .expect("the chain")
            .replace("\"../", &format!("\"{}/policies/", env!("CARGO_MANIFEST_DIR")));
        let half: String = links.split("[[case]]").next().unwrap_or_default().split_inclusive("[[link]]").take(3).collect();
        std::fs::write(
            folder.join("half.toml"),
            half.trim_end_matches("[[link]]").replacen("zone =", "until = 2017-01-26\nzone =", 1),
        )
        .expect("written");
        ctl(folder, &server, &on("activate half.toml --effective 2009-01-01 --yes --adopted miami-dade-pre2013=2009-01-01 --dated miami-dade-pre2013=2009-01-01")).await;
        let would = ctl(folder, &server, &on(&format!("activate {chain} {days} --validate-only"))).await;
        assert_eq!((would.matches("there already").count(), would.matches("would be activated").count()), (2, 2), "{would}");
        let wrong = days.replace("--effective 2009-01-01", "--effective 2010-01-01");
        let said = refused(folder, &server, &on(&format!("activate {chain} {wrong} --yes"))).await;
        assert!(said.contains("miami-dade-pre2013 is in force since 2009-01-01 00:00 EST already"), "{said}");
        let wrong = days.replace("=2009-01-01", "=2008-12-31");
        let said = refused(folder, &server, &on(&format!("activate {chain} {wrong} --yes"))).await;
        assert!(said.contains("miami-dade-pre2013 is in force already, and says something else"), "{said}");
        let said = ctl(folder, &server, &on(&format!("activate {chain} {days} --yes"))).await;
        assert!(said.contains("goes on where it stopped: 2 of 4 were activated already"), "{said}");
        let steps = ["miami-dade-pre2013", "miami-dade-R-1008-13", "miami-dade-gimenez-2017", "florida-ch908"];
        let places: Vec<Option<usize>> = steps.iter().map(|step| said.find(step)).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{said}");
        let history = ctl(folder, &server, &on("history --format csv")).await;
        for (step, from) in steps.iter().zip(["2009-01-01", "2014-01-01", "2017-01-26", "2019-07-01"]) {
            assert!(history.lines().any(|line| line.contains(step) && line.contains(from)), "{step} {from}: {history}");
        }
        let said = ctl(folder, &server, &on(&format!("activate {chain} {days}"))).await;
        assert!(said.contains("All of it is activated already; nothing was recorded"), "{said}");
        assert_eq!(ctl(folder, &server, &on("history --format csv")).await, history);
        let said = refused(folder, &server, &on("activate half.toml --effective 2009-01-01 --adopted miami-dade-pre2013=2009-01-01 --dated miami-dade-pre2013=2009-01-01")).await;
        assert!(said.contains("there is a policy already (miami-dade-gimenez-2017)"), "{said}");

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

/// `now` is when the server records it: a rule from now on is refused by nothing that was decided, one dated back is, and
/// what was made for it is told of. A rule that would take effect behind the one in force says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_now_on_is_when_it_is_recorded_and_a_rule_behind_the_one_in_force_is_told() {
    for fresh in common::engines().await {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let server = serve(folder, &format!("--database {} --data-dir one", fresh.url)).await.expect("it starts");
        let on = |words: &str| format!("--data-dir one --county c {words}");
        let does = async |words: String| {
            let done = ctl_with(folder, &server, &on(&words), &[]).await;
            assert!(done.status.success(), "{words}: {}", text(&done.stderr));
            (text(&done.stdout), text(&done.stderr))
        };
        ctl(folder, &server, "--data-dir one county create c --name C --zone America/New_York").await;
        does("facility create main --name Main --zone America/New_York".to_owned()).await;
        let paper = "--title R --dated 2017-01-26 --adopted 2017-01-26 --open-detainers reevaluate --yes";
        let (_, said) = does(format!("policy switch honor-always --id always --effective 2017-01-26 {paper}")).await;
        assert!(!said.contains("Warning"), "{said}");
        does("booking create A --facility main --booked 2024-03-14T10:00:00Z --charge A".to_owned()).await;
        let form = "--edition i247a --form-date 2024-03-14 --office MIA --signed yes --biometric-match";
        does(format!("detainer record A --id D --received 2024-03-14T12:00:00Z {form}")).await;

        // From now on: previewed and switched, though something was decided.
        let rule = policy("colorado-2019");
        let days = "--adopted 2019-05-28 --dated 2019-05-28";
        let (said, warned) = does(format!("policy preview {rule} {days} --effective now")).await;
        assert!(said.contains("nothing was recorded") && !warned.contains("Warning"), "{said}{warned}");
        let (said, _) = does(format!("policy switch decline-all --id stop --effective now {paper}")).await;
        assert!(said.contains("1 open detainers decided again"), "{said}");

        // The day of its file has passed, and something was decided: refused, and what was made waits.
        let stopped = ctl_with(folder, &server, &on(&format!("policy activate {rule} {days} --yes")), &[]).await;
        let said = text(&stopped.stderr);
        assert!(!stopped.status.success(), "{said}");
        for part in ["colorado-2019 was made and waits", "detainerctl policy activate colorado-2019", "leave the time unset"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        let (said, _) = does("policy show colorado-2019".to_owned()).await;
        assert!(said.contains("made, not activated"), "{said}");
        let (said, warned) = does("policy activate colorado-2019 --effective now --yes".to_owned()).await;
        assert!(said.contains("Policy revision colorado-2019") && !warned.contains("Warning"), "{said}{warned}");
        let (said, _) = does("policy show".to_owned()).await;
        assert!(said.contains("colorado-2019"), "{said}");

        // Of the server's own record, not of this program's clock.
        let (said, _) = does("policy history --format csv".to_owned()).await;
        let heading: Vec<&str> = said.lines().next().unwrap_or_default().split(',').collect();
        let place = |name: &str| heading.iter().position(|one| *one == name).unwrap_or_else(|| panic!("{name}: {said}"));
        let (from, recorded) = (place("effective_time"), place("recorded_time"));
        for id in ["stop", "colorado-2019"] {
            let row = said.lines().find(|line| line.contains(&format!(",{id},"))).unwrap_or_else(|| panic!("{id}: {said}"));
            let (first, mut last) = (row.split(',').nth(from), row.rsplit(','));
            assert_eq!(first, last.nth(heading.len() - 1 - recorded), "{id}: {said}");
        }

        // Behind the rule in force: it was the policy of the past only, which is said before anything is asked.
        let earlier = policy("multnomah-2013");
        let (_, warned) = does(format!("policy preview {earlier} --effective 2010-01-01")).await;
        assert!(warned.contains("Warning: it would not be in force"), "{warned}");
        let (_, warned) = does(format!("policy switch decline-all --id old --effective 2010-01-01 {paper}")).await;
        for part in
            ["Warning: it would not be in force", "2010-01-01", "behind colorado-2019", "until 2017-01-26", "--effective now"]
        {
            assert!(warned.contains(part), "{part}: {warned}");
        }
        let (_, warned) = does(format!("policy activate {} --yes", policy("nyc-2013"))).await;
        assert!(warned.contains("Warning: it would not be in force"), "{warned}");
        let (said, _) = does("policy show".to_owned()).await;
        assert!(said.contains("colorado-2019"), "{said}");
        server.end().await;
    }
}
