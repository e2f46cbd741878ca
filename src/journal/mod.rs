//! Bytes in, bytes out: what a record looks like on disk, and the tree over those bytes.
//!
//! [`wire`] gives domain types one canonical protobuf form, [`records`] lists which types have one and under
//! which numbers, [`tree`] hashes the exact bytes into an RFC 6962 tree. This room never stores, never reads a
//! clock, and never decides anything; what it reads it reads strictly, because a record that could be written in
//! two ways could not be proved.
//!
//! To add a type to the journal, see [`wire`]. To add a field to a type that was released: a new tag, at the end,
//! as an `Option`, a list, or a plain scalar whose zero means what its absence meant.

pub mod record;
pub mod records;
pub mod tree;
pub mod wire;
