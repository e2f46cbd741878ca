//! The policy packs under `policies/`: each is read, checked and runs its examples; chains decide each day beside a change;
//! files with a mistake are refused with line and node.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use detainer::domain::decision::Outcome;
use detainer::domain::policy::check;
use detainer::domain::time::Date;
use detainer::policyfile::{self, Chain, Level, Mistake, PolicyFile};

/// Every policy there must be.
const IDS: [&str; 27] = [
    "ca-sb54",
    "ca-trust-act",
    "colorado-2019",
    "cook-2011",
    "dc-2019",
    "dona-ana-2014",
    "florida-ch908",
    "georgia-hb1105",
    "illinois-trust",
    "iowa-city-2017",
    "king-2014",
    "la-county-2020",
    "massachusetts-lunn",
    "miami-dade-R-1008-13",
    "miami-dade-gimenez-2017",
    "miami-dade-pre2013",
    "multnomah-2013",
    "multnomah-2014",
    "nyc-2011",
    "nyc-2013",
    "pinellas-boa-2018",
    "san-juan-nm-2017",
    "santa-clara-2011",
    "sf-sheriff-2014",
    "suffolk-ny-2016",
    "texas-sb4",
    "washington-kww",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("policies")
}

fn files_in(folder: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let paths = entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "toml"));
    let mut all: Vec<_> = paths
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect();
    all.sort();
    all
}

fn told(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(|mistake| format!("\n  {mistake}")).collect()
}

fn packs() -> BTreeMap<String, PolicyFile> {
    let read = |(name, text): (String, String)| {
        let file = policyfile::parse(&text).unwrap_or_else(|mistakes| panic!("{name}:{}", told(&mistakes)));
        (name, file)
    };
    files_in(&folder()).into_iter().map(read).collect()
}

fn chain(name: &str) -> Chain {
    let text = fs::read_to_string(folder().join("chains").join(name)).unwrap();
    policyfile::parse_chain(&text).unwrap_or_else(|mistakes| panic!("{name}:{}", told(&mistakes)))
}

#[test]
fn every_policy_is_there_under_its_own_name() {
    let packs = packs();
    let ids: Vec<&str> = packs.values().map(|file| file.id.as_str()).collect();
    let mut wanted = IDS.to_vec();
    wanted.sort_unstable();
    let mut found = ids.clone();
    found.sort_unstable();
    assert_eq!(found, wanted);
    for (name, file) in &packs {
        assert_eq!(*name, format!("{}.toml", file.id));
        assert_eq!(check(file.revision()), [], "{name}");
        assert_eq!(file.revision().id, file.id, "{name}");
        assert!(!file.revision().instrument.title.is_empty(), "{name}");
        assert!(file.level != Level::State || !file.revision().layers.is_empty(), "{name}");
    }
}

#[test]
fn every_example_answers_as_it_says() {
    let mut wrong = Vec::new();
    for (name, file) in packs() {
        let ran = policyfile::run_examples(&file);
        assert!(ran.len() >= 3, "{name} has {} examples", ran.len());
        // Both sides: one that is held, where the rule can hold at all, and one that is not.
        assert!(ran.iter().any(|one| one.told.outcome != Outcome::Honor), "{name} declines nobody");
        let never = ["dona-ana-2014", "iowa-city-2017"].contains(&file.id.as_str());
        assert_eq!(ran.iter().any(|one| one.told.outcome == Outcome::Honor), !never, "{name}");
        wrong.extend(
            ran.iter()
                .filter(|one| !one.wrong.is_empty())
                .map(|one| format!("{name}:{}: {}: {:?}", one.line, one.name, one.wrong)),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn chains_decide_the_days_beside_each_change() {
    let packs = packs();
    let file = |name: &str| packs.get(name);
    for name in ["miami-dade.toml", "santa-clara.toml"] {
        let chain = chain(name);
        let ran = chain.run(file).unwrap_or_else(|why| panic!("{name}: {why}"));
        let wrong: Vec<_> = ran.iter().filter(|one| !one.wrong.is_empty()).collect();
        assert!(wrong.is_empty(), "{name}: {wrong:#?}");
        let asked: Vec<Date> = chain.days_asked().collect();
        for day in chain.boundaries(file) {
            assert!(asked.contains(&day), "{name}: nothing is asked about {day}");
            assert!(asked.contains(&day.pred_opt().unwrap()), "{name}: nothing is asked about the day before {day}");
        }
    }
}
