//! Tries to break the invariants of DOMAIN.md §8 that speak of the domain, on random histories.
//!
//! Each property carries the number of its invariant and judges by the recorded facts, not by what the domain derived,
//! wherever it can. `PROPTEST_CASES` sets how many histories each tries.

mod answers;
mod history;
mod hypotheses;
mod model;
mod properties;
mod stories;
