//! Lanes and batches.

pub mod call;

pub use call::{AsOf, Call, Command, Followed, LedgerError, Pair, Written};
