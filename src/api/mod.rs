//! gRPC: reads requests into commands, asks the ledger, writes answers. No rule of the field lives here.
//!
//! To add a method: put it in the `.proto`, in [`auth::METHODS`], and into the service's file here. To add a service:
//! its file, and one line in [`services`].
//!
//! Every handler begins the same way: who calls ([`auth::principal`]), which county, whether the credential is bound to
//! it, then all bad fields at once ([`time::Fields`]); only then is anything looked up.

pub mod auth;
pub mod error;
pub mod names;
pub mod paging;
pub mod time;
pub mod write;
