//! Mapping files: how the columns of a file become bookings, bases and detainers. Pure; `docs/mapping.md` is the manual.
//!
//! A mapping is read in three steps, each with errors of its own: [`Mapping::parse`] reads the TOML and names line and
//! field; [`Plan::bind`] finds its columns in the file's header; [`Plan::row`] turns one group of records into the
//! operations of one import row, or says which line and field is wrong.
//!
//! What a mapping assumes about its file it states in `assumptions`; nothing is assumed by the code. To add a field: put
//! it in [`mod@format`], bind it in `plan`, use it in `rows`, and describe it in `docs/mapping.md`.

pub mod format;
mod locate;
mod plan;
mod rows;
#[cfg(test)]
mod tests;
mod value;

pub use format::Mapping;
pub use plan::Plan;
pub use rows::{FacilitySeen, MappedRow, Record, RowProblem};

/// What is wrong with a mapping file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}{problem}", place(*.line), field_and_colon(.field))]
pub struct MappingError {
    /// Line of the mapping file, from 1; 0 where it is not known.
    pub line: usize,
    /// Path of the field, for example `detainer[0].edition.map`. Empty: the file as a whole.
    pub field: String,
    /// What is wrong, and what would be right.
    pub problem: String,
}

fn place(line: usize) -> String {
    if line == 0 { String::new() } else { format!("line {line}: ") }
}

fn field_and_colon(field: &str) -> String {
    if field.is_empty() { String::new() } else { format!("{field}: ") }
}
