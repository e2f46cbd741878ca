//! Properties of the policies (DOMAIN.md §5, §8.6): of the evaluator on random trees, layers and facts, of decisions in
//! random counties, and of a preview against what the activation then does, on both engines.
//!
//! `DETAINER_TEST_HISTORIES` says how many counties the ledger is told, `DETAINER_TEST_SEED` which; `DETAINER_TEST_TIMES`
//! how many times as often the others are tried.

#[path = "../common/mod.rs"]
mod common;
mod county;
mod decisions;
mod evaluator;
mod order;
mod preview;
mod rules;
