//! Counts of what transactions wrote, so that a test can hold the system to its promise of few rows per command.

use std::collections::BTreeMap;

/// Rows written, by table, and statements sent.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Rows added.
    pub inserted: BTreeMap<&'static str, u64>,
    /// Rows changed in place, among them versions that were ended.
    pub updated: BTreeMap<&'static str, u64>,
    /// Statements sent, reads among them, without begin and commit.
    pub statements: u64,
    /// Transactions committed.
    pub commits: u64,
}

impl Tally {
    /// Adds another one.
    pub(super) fn add(&mut self, other: &Self) {
        for (table, rows) in &other.inserted {
            *self.inserted.entry(table).or_default() += rows;
        }
        for (table, rows) in &other.updated {
            *self.updated.entry(table).or_default() += rows;
        }
        self.statements += other.statements;
        self.commits += other.commits;
    }

    /// All rows written.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.inserted.values().chain(self.updated.values()).sum()
    }
}
