//! Turns: rows that share a key go one after the other, in the order in which they came; others go at once.

use std::collections::HashMap;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Who came last, for each key.
#[derive(Default)]
pub(super) struct Order {
    last: HashMap<String, CancellationToken>,
    /// How many keys there may be until those that are done with are forgotten.
    sweep_at: usize,
}

/// A place in the order.
pub(super) struct Turn {
    before: Vec<CancellationToken>,
    done: CancellationToken,
}

impl Order {
    /// Takes a place behind all that came before under any of these keys.
    pub fn enter(&mut self, keys: Vec<String>) -> Turn {
        if self.last.len() >= self.sweep_at {
            self.last.retain(|_, done| !done.is_cancelled());
            self.sweep_at = 2 * self.last.len() + 1_024;
        }
        let done = CancellationToken::new();
        let before = keys.into_iter().filter_map(|key| self.last.insert(key, done.clone()));
        // The same key twice in one row is no reason to wait for oneself.
        let before = before.filter(|earlier| *earlier != done && !earlier.is_cancelled()).collect();
        Turn { before, done }
    }
}

impl Turn {
    /// Waits until it is one's turn; the turn lasts as long as what is answered.
    pub async fn come(self) -> DropGuard {
        for earlier in &self.before {
            earlier.cancelled().await;
        }
        self.done.drop_guard()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    fn keys(words: &str) -> Vec<String> {
        words.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn who_shares_a_key_waits_and_who_does_not_goes() {
        let mut order = Order::default();
        let first = order.enter(keys("a b")).come().now_or_never().expect("nobody came before");
        let mut second = Box::pin(order.enter(keys("b c c")).come());
        let mut third = Box::pin(order.enter(keys("c")).come());
        let other = order.enter(keys("d")).come().now_or_never();
        assert!(other.is_some(), "it shares no key");
        assert!(second.as_mut().now_or_never().is_none());
        assert!(third.as_mut().now_or_never().is_none());
        drop(first);
        let second = second.now_or_never().expect("its turn has come");
        assert!(third.as_mut().now_or_never().is_none(), "the second still has its turn");
        drop(second);
        assert!(third.now_or_never().is_some());
    }

    #[test]
    fn what_is_done_is_forgotten() {
        let mut order = Order::default();
        for n in 0..10_000 {
            drop(order.enter(vec![n.to_string()]).come().now_or_never());
        }
        assert!(order.last.len() <= 1_025, "{}", order.last.len());
    }
}
