//! The system of record for immigration detainers in county jails.
//!
//! One way through the code: `api` → `ledger` → `domain` → `store`. Rules live in [`domain`], which is
//! pure and imports nobody. ARCHITECTURE.md draws the map.

pub mod api;
pub mod client;
pub mod domain;
pub mod identity;
pub mod journal;
pub mod ledger;
pub mod pb;
pub mod policyfile;
pub mod report;
pub mod rows;
pub mod server;
pub mod sheet;
pub mod store;
pub mod verify;
