//! What stands on the caller's side of the wire: a typed client, files turned into rows, and the rehearsal county.
//!
//! This room knows the public contract ([`crate::pb`], and what it looks like: [`crate::sheet`]) and nothing else of the server: it never touches a database, a
//! journal or a rule of the field. `detainerctl` and `detainerd demo` are made of it, and so can any other program be.
//!
//! - [`connect`]: [`Client`], one method for each call of the contract, with credential, deadline and typed errors.
//! - [`error`]: what a refusal says, taken out of `google.rpc.Status`.
//! - [`ids`]: the only place that reads the machine's clock and random source.
//! - [`mapping`]: mapping files (`docs/mapping.md`), and rows turned into operations by them. Pure.
//! - [`import`]: files sent through `ImportService` with a bounded window.
//! - [`report`]: reports told row by row, and checked against their manifests.
//! - [`rehearsal`]: a county that never was, loaded through the public calls.
//!
//! To add a call: it appears in the `.proto` first; then one line in the list of [`connect`].

pub mod connect;
pub mod error;
pub mod ids;
pub mod import;
pub mod mapping;
pub mod rehearsal;
pub mod report;

pub use connect::{Client, Credential};
pub use error::{ClientError, FieldProblem, Refusal};
