//! Tells apart what a row records now and what an earlier run had recorded.

use crate::api::Api;
use crate::ledger::Written;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether anything was recorded now, and not by an earlier call with the same request id.
#[derive(Clone, Debug, Default)]
pub(in crate::api) struct Recorded(Arc<AtomicBool>);

impl Recorded {
    /// Takes notice of an answer of the ledger.
    pub fn note(&self, written: &Written) {
        if !written.replayed && !written.events.is_empty() {
            self.0.store(true, Ordering::Release);
        }
    }

    /// Whether anything was.
    pub fn any(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Api {
    /// The same services, and a note of what is recorded through them.
    pub(super) fn noting(&self) -> (Self, Recorded) {
        let recorded = Recorded::default();
        (Self { recorded: Some(recorded.clone()), ..self.clone() }, recorded)
    }
}
