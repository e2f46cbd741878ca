//! Policy files: a rule as a TOML text with its source and its examples. `docs/policy-files.md` is the manual.
//!
//! Pure. [`parse`] reads a file into a [`PolicyFile`], or says every [`Mistake`] with line, column and node;
//! [`run_examples`] asks the domain's own evaluator; [`render`] lists a policy for people, [`diff`] compares two clause by
//! clause; [`Chain`] puts files behind one another in time. No rule lives here: what a rule may be says
//! `domain::policy::check`, what it answers `domain::policy::evaluate`.
//!
//! To add a leaf: a line among the keys and an arm in `tree`, its word in `words` if it has one, its row in the manual.
//! To add a field: `file` reads it, `listing` shows it and compares it.

mod chain;
mod diff;
mod example;
mod file;
mod listing;
mod read;
mod tree;
pub mod words;

pub use chain::{Case, CaseDay, Chain, Link, is_chain, parse_chain};
pub use diff::{Change, Difference, Differs, diff};
pub use example::{Example, Expect, Promise, Request, Told};
pub use file::parse;
pub use listing::{render, render_revision};

use crate::domain::clock::Limit;
use crate::domain::ids::RevisionId;
use crate::domain::policy::Revision;
use crate::domain::time::{Date, Zone};
use std::fmt;
use std::sync::Arc;

/// What is wrong with a file, and where.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// The node's path, such as `condition.any[1].conviction`. Empty: the file as a whole.
    pub node: String,
    /// What is wrong, and what would be right.
    pub why: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: ", self.line, self.column)?;
        if !self.node.is_empty() {
            write!(f, "{}: ", self.node)?;
        }
        f.write_str(&self.why)
    }
}

/// Whose rule a file holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Level {
    /// A county's.
    County,
    /// A city's.
    City,
    /// A state's: its layers stand over a county rule that the file states.
    State,
}

/// One policy as its file tells it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyFile {
    /// Its id, also the id of the revision it becomes.
    pub id: RevisionId,
    /// What it is, in a line.
    pub title: Arc<str>,
    /// Whose it is.
    pub jurisdiction: Arc<str>,
    /// The state's two letters.
    pub state: Arc<str>,
    /// Whose rule it is.
    pub level: Level,
    /// The zone in which its days are meant.
    pub zone: Zone,
    /// The rule in plain English.
    pub text: Arc<str>,
    /// How well its sources were read.
    pub confidence: Arc<str>,
    /// What is not sure, a sentence each.
    pub unsure: Vec<Arc<str>>,
    /// Where it is known from.
    pub sources: Vec<Arc<str>>,
    /// Its first day in force; nothing: not known.
    pub effective: Option<Date>,
    /// The first day on which it is no longer in force; nothing: it still is.
    pub until: Option<Date>,
    /// Its examples.
    pub examples: Vec<Example>,
    pub(super) rules: Revision,
}

impl PolicyFile {
    /// The rule. Its author and the time it was recorded are set where it is recorded.
    #[must_use]
    pub fn revision(&self) -> &Revision {
        &self.rules
    }

    /// Whether a local day lies within its dates.
    #[must_use]
    pub fn in_force(&self, day: Date) -> bool {
        self.effective.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day < until)
    }
}

/// How one example came out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ran {
    /// What it shows.
    pub name: Arc<str>,
    /// The line it begins on.
    pub line: usize,
    /// What came out.
    pub told: Told,
    /// What is not as it must be; empty: all is.
    pub wrong: Vec<String>,
}

/// Runs every example of a file.
#[must_use]
pub fn run_examples(file: &PolicyFile) -> Vec<Ran> {
    let run = |example: &Example| {
        let told = example.request.told(Some(&file.rules), file.zone, example.at);
        let wrong = example.expect.differences(&told, file.zone);
        Ran { name: example.name.clone(), line: example.line, told, wrong }
    };
    file.examples.iter().map(run).collect()
}

/// A limit as a file writes it.
fn limit_words(limit: Limit) -> String {
    match limit {
        Limit::Hours(hours) => hours.to_string(),
        Limit::EndOfLocalDay => "end-of-day".to_owned(),
    }
}
