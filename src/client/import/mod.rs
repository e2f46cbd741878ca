//! Files sent through `ImportService`, row by row, in bounded memory.
//!
//! [`file::run`] takes a file and a mapping: it reads the file once to count its rows, find its facilities and digest its
//! bytes, makes the facilities that the county has not, and reads it again to send it. [`send`] is the part below that:
//! rows in, one result per row out, in order, with a bounded number on the way. A row that cannot be mapped is never
//! sent, and its result stands in its place all the same.
//!
//! Nothing here decides what a row means: that is [`super::mapping`].

pub mod file;
mod reader;
pub mod send;
#[cfg(test)]
mod tests;

use super::error::{ClientError, FieldProblem};
use super::mapping::{MappingError, RowProblem};
use crate::pb;

/// Why an import could not be carried out. Rows that were refused are no such error.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("{file}: {detail}")]
    File {
        /// Which.
        file: String,
        /// Why.
        detail: String,
    },
    /// The mapping is wrong, or not for this file.
    #[error("{file}: {error}")]
    Mapping {
        /// The mapping file.
        file: String,
        /// What is wrong with it.
        error: MappingError,
    },
    /// The county has not the facilities, and they cannot be made.
    #[error("the county lacks {} of the file's facilities, the first is `{first}`, and they cannot be made: {why}", .count)]
    Facilities {
        /// How many.
        count: usize,
        /// The first of them.
        first: String,
        /// Why not.
        why: String,
    },
    /// A call failed.
    #[error(transparent)]
    Call(#[from] ClientError),
}

/// What became of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowOutcome {
    /// Something was recorded now. The sequence of the last record.
    Recorded(i64),
    /// Everything had been recorded before. The sequence of the last record.
    AlreadyRecorded(i64),
    /// The mapping could not read it; it was not sent.
    Unreadable(RowProblem),
    /// The server refused an operation of it.
    Refused(RowRefusal),
}

/// What the server refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowRefusal {
    /// Reason of the contract, as a word.
    pub reason: String,
    /// The refusal in words.
    pub message: String,
    /// The fields that are wrong.
    pub fields: Vec<FieldProblem>,
    /// Place of the operation in the row, from 0.
    pub operation: i32,
}

impl RowOutcome {
    /// What the server said of a row.
    #[must_use]
    pub fn of(result: &pb::ImportRowResult) -> Self {
        let sequence = result.receipt.as_ref().map_or(0, |receipt| receipt.sequence);
        match result.outcome() {
            pb::ImportOutcome::Recorded => Self::Recorded(sequence),
            pb::ImportOutcome::AlreadyRecorded => Self::AlreadyRecorded(sequence),
            pb::ImportOutcome::Rejected | pb::ImportOutcome::Unspecified => Self::Refused(RowRefusal {
                reason: crate::sheet::words::word_of::<pb::ErrorReason>(result.reason),
                message: result.message.clone(),
                fields: result
                    .field_violations
                    .iter()
                    .map(|v| FieldProblem { field: v.field.clone(), description: v.description.clone() })
                    .collect(),
                operation: result.rejected_operation,
            }),
        }
    }

    /// The word for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Recorded(_) => "recorded",
            Self::AlreadyRecorded(_) => "already-recorded",
            Self::Unreadable(_) | Self::Refused(_) => "rejected",
        }
    }

    /// Why the row was rejected, in a line. Nothing where it was not.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Recorded(_) | Self::AlreadyRecorded(_) => None,
            Self::Unreadable(problem) => Some(problem.to_string()),
            Self::Refused(refusal) => {
                let fields: Vec<String> = refusal.fields.iter().map(|f| format!("{}: {}", f.field, f.description)).collect();
                let fields = if fields.is_empty() { String::new() } else { format!(" ({})", fields.join("; ")) };
                Some(format!("operation {}: {} [{}]{fields}", refusal.operation + 1, refusal.message, refusal.reason))
            }
        }
    }
}

/// What became of the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportTotals {
    /// Rows read.
    pub rows: u64,
    /// Rows recorded now.
    pub recorded: u64,
    /// Rows recorded before.
    pub already_recorded: u64,
    /// Rows rejected, by mapping or server.
    pub rejected: u64,
    /// Facilities made.
    pub facilities_created: u64,
    /// The county's head after the last row, as the server told it.
    pub head: i64,
}

impl ImportTotals {
    pub(super) fn count(&mut self, outcome: &RowOutcome) {
        self.rows += 1;
        match outcome {
            RowOutcome::Recorded(_) => self.recorded += 1,
            RowOutcome::AlreadyRecorded(_) => self.already_recorded += 1,
            RowOutcome::Unreadable(_) | RowOutcome::Refused(_) => self.rejected += 1,
        }
    }
}
