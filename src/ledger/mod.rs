//! Where commands become records.
//!
//! [`Ledger::write`] puts a command into its county's lane. The lane takes what has gathered (`lane`), and does it in
//! one transaction (`core`): it locks the heads of the counties, reads requests and bookings, works the commands out
//! one after the other (`turn`), writes records and rows, commits, and only then answers. What is read is folded from
//! the journal or read from the county's rows (`load`) and remembered (`memory`) as long as the head is where it was.

pub mod call;
mod clock;
mod core;
mod lane;
mod load;
mod memory;
pub mod sweeper;
mod turn;

pub use call::{AsOf, Call, Command, LedgerError, Pair, Written};
pub use clock::{Clock, MachineClock};
pub use lane::Ledger;
