//! Runs the worked cases of `tests/cases/*.toml`: what happened, in lines a lawyer can read, and what must follow.
//!
//! The words are explained in `tests/cases/README.md`. Expected values are worked out by hand from the rules, never
//! copied from a run. Every failure names the file, the case and the line.

mod expect;
mod script;
mod words;

use serde::Deserialize;
use std::path::Path;

/// One file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
}

/// One case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows.
    pub title: String,
    /// Where the rule stands.
    pub rule: String,
    /// The zone of the county and of its jail; times of the case are local times there.
    pub zone: String,
    /// A rule in force from long before, as in `HONOR_ALWAYS hours=48`.
    #[serde(default)]
    pub policy: Option<String>,
    /// A price in force from long before, as in `126.00 HOURLY`.
    #[serde(default)]
    pub rate: Option<String>,
    /// What happened.
    pub facts: String,
    /// What must follow.
    pub then: String,
}

fn run(case: &Case) -> Result<(), String> {
    let mut script = script::Script::new(case)?;
    for line in lines(&case.facts) {
        script.line(line).map_err(|e| format!("{line:?}\n      {e}"))?;
    }
    let wrong: Vec<String> =
        lines(&case.then).filter_map(|line| expect::check(&script, line).err().map(|e| format!("{line:?}\n      {e}"))).collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n    ")) }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn files() -> Vec<(String, File)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "toml"));
    paths.sort();
    let read = |path: &Path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).unwrap();
        let file = toml::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
        (name, file)
    };
    paths.iter().map(|path| read(path)).collect()
}

/// `CASE=word` runs only the cases whose file or title holds the word.
#[test]
fn every_case_comes_out_as_worked_by_hand() {
    let only = std::env::var("CASE").unwrap_or_default();
    let (mut count, mut failures) = (0, Vec::new());
    for (name, file) in files() {
        for case in file.case.iter().filter(|case| name.contains(&only) || case.title.contains(&only)) {
            count += 1;
            let result = std::panic::catch_unwind(|| run(case));
            let result = result.unwrap_or_else(|_| Err("it panicked, see above".to_owned()));
            if let Err(why) = result {
                failures.push(format!("{name}: {}\n    {why}", case.title));
            }
        }
    }
    println!("{count} cases");
    assert!(failures.is_empty(), "{} of {count} cases fail:\n\n{}\n", failures.len(), failures.join("\n\n"));
}

#[test]
fn titles_are_single_and_every_case_expects_something() {
    let mut seen = std::collections::BTreeSet::new();
    for (name, file) in files() {
        for case in file.case {
            assert!(lines(&case.then).next().is_some(), "{name}: {} expects nothing", case.title);
            assert!(seen.insert(case.title.clone()), "{name}: {} is told twice", case.title);
        }
    }
}
