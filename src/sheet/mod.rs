//! What messages of the contract look like to people and in files.
//!
//! This room knows the contract ([`crate::pb`]) alone: it calls nobody, reads no clock and no database. The programs lay
//! answers out by it, and the server the canonical form of a report, so that both mean the same bytes.
//!
//! - [`time`], [`names`], [`words`]: instants and zones, resource names, enums as people write them.
//! - [`table`]: typed cells, and tables of them for a terminal, as CSV or as JSON.
//! - [`board`]: the board as a table.
//! - [`canonical`]: the file of a report that its manifest's digest is of, and its reader.
//! - [`write`](mod@write): reports as files: CSV, JSON lines, workbooks, pages with charts.
//! - [`reports`]: each report's columns and rows.
//!
//! To add an answer's form: a table of cells here; how a cell is written is settled in [`table`] alone.

pub mod board;
pub mod canonical;
pub mod names;
pub mod reports;
pub mod table;
pub mod time;
pub mod words;
pub mod write;
