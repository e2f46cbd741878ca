//! A difference in words: where, and what.

use crate::domain::ids::CountyId;
use std::fmt;

/// Where something differs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// The county as a whole.
    County,
    /// The county's row in `heads`.
    Head,
    /// A record of the journal.
    Record(i64),
    /// A row of a table.
    Row {
        /// The table.
        table: &'static str,
        /// The row's key, its parts with a slash between them.
        key: String,
    },
}

/// What is stored and does not follow from the journal, or does not agree with itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// The county.
    pub county: CountyId,
    /// Where in it.
    pub place: Place,
    /// What differs, as a sentence.
    pub what: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "county {}, ", self.county)?;
        match &self.place {
            Place::County => write!(f, "as a whole: ")?,
            Place::Head => write!(f, "head: ")?,
            Place::Record(seq) => write!(f, "record {seq}: ")?,
            Place::Row { table, key } => write!(f, "table {table}, row {key}: ")?,
        }
        f.write_str(&self.what)
    }
}
