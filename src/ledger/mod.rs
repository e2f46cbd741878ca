//! Where commands become records: one at a time, each in one transaction.

pub mod call;
mod lane;
mod world;

pub use call::{AsOf, Call, Command, Followed, LedgerError, Pair, Written};
pub use lane::{Clock, Ledger, MachineClock};
