//! Waking those who wait for a county's journal to grow, here and on other servers.
//!
//! A wake carries no truth: it may be lost, late or twice. Watchers read the journal.

use super::conn::{Conn, Statement, written};
use super::{Engine, Inner, Source, StoreError, postgres, retry};
use crate::domain::ids::CountyId;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::{Mutex as AsyncMutex, Notify, broadcast};
use tokio_util::sync::CancellationToken;

/// The channel of PostgreSQL.
const CHANNEL: &str = "detainer_wake";
/// Wakes a slow listener may fall behind before it is simply told to look at everything.
const BACKLOG: usize = 1_024;

/// A reason to look.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wake {
    /// A county's journal has reached a sequence.
    County {
        /// The county.
        county: CountyId,
        /// The sequence.
        seq: i64,
    },
    /// Wakes may have been missed: any county's journal may have grown.
    All,
}

/// Wakes as they come.
pub struct Listener {
    receiver: broadcast::Receiver<Wake>,
    stop: CancellationToken,
}

impl Listener {
    /// The next one; none once the store is closed.
    pub async fn next(&mut self) -> Option<Wake> {
        tokio::select! {
            wake = self.receiver.recv() => match wake {
                Ok(wake) => Some(wake),
                Err(broadcast::error::RecvError::Lagged(_)) => Some(Wake::All),
                Err(broadcast::error::RecvError::Closed) => None,
            },
            () = self.stop.cancelled() => None,
        }
    }
}

/// Who waits here, and what other servers have not been told yet.
pub(super) struct Wakes {
    here: broadcast::Sender<Wake>,
    /// The highest sequence told here, by county: the echo of our own word wakes nobody twice.
    told: Mutex<HashMap<CountyId, i64>>,
    unsent: Mutex<BTreeMap<CountyId, i64>>,
    bell: Arc<Notify>,
    /// Whether the task that listens to the server runs.
    listening: AsyncMutex<bool>,
}

impl Default for Wakes {
    fn default() -> Self {
        Self {
            here: broadcast::Sender::new(BACKLOG),
            told: Mutex::default(),
            unsent: Mutex::default(),
            bell: Arc::default(),
            listening: AsyncMutex::default(),
        }
    }
}

impl Wakes {
    pub fn notify(&self, engine: Engine, county: &CountyId, seq: i64) {
        self.tell(county, seq);
        if engine == Engine::Postgres {
            let mut unsent = self.unsent.lock().unwrap_or_else(PoisonError::into_inner);
            let latest = unsent.entry(county.clone()).or_insert(seq);
            *latest = seq.max(*latest);
            drop(unsent);
            self.bell.notify_one();
        }
    }

    /// Wakes those who wait here, unless they have been woken for this already.
    fn tell(&self, county: &CountyId, seq: i64) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        match told.get_mut(county) {
            Some(latest) if *latest >= seq => return,
            Some(latest) => *latest = seq,
            None => {
                told.insert(county.clone(), seq);
            }
        }
        drop(told);
        self.everyone(Wake::County { county: county.clone(), seq });
    }

    fn everyone(&self, wake: Wake) {
        // An error says that nobody waits.
        let _ = self.here.send(wake);
    }

    /// What other servers have to be told, at most 500 counties.
    fn take_unsent(&self) -> Vec<(CountyId, i64)> {
        let mut unsent = self.unsent.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = Vec::new();
        while taken.len() < 500 {
            let Some(first) = unsent.pop_first() else { break };
            taken.push(first);
        }
        taken
    }
}

/// Starts the task that tells other servers, from a connection of its own.
pub(super) fn start_notifier(inner: &Arc<Inner>) {
    let Source::Postgres(options) = &inner.source else { return };
    let (bell, stop) = (inner.wakes.bell.clone(), inner.stop.clone());
    tokio::spawn(notify_others(Arc::downgrade(inner), options.as_ref().clone(), bell, stop));
}

/// Holds the store only while it has something to send.
async fn notify_others(weak: Weak<Inner>, options: PgConnectOptions, bell: Arc<Notify>, stop: CancellationToken) {
    let mut conn = None;
    let mut failures = 0;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = bell.notified() => {}
        }
        loop {
            let Some(inner) = weak.upgrade() else { return };
            let unsent = inner.wakes.take_unsent();
            if unsent.is_empty() {
                break;
            }
            drop(inner);
            if send(&mut conn, &options, &unsent).await.is_ok() {
                failures = 0;
                continue;
            }
            // Lost: listeners look at the heads by themselves. Pause so that a dead server is not hammered.
            conn = None;
            retry::pause(failures).await;
            failures += 1;
        }
    }
}

async fn send(conn: &mut Option<Conn>, options: &PgConnectOptions, unsent: &[(CountyId, i64)]) -> Result<(), StoreError> {
    let conn = match conn {
        Some(conn) => conn,
        None => conn.insert(postgres::connect(options).await?),
    };
    let words: Vec<String> = unsent.iter().map(|(county, seq)| format!("{county} {seq}")).collect();
    let sql = "select 1 from (select pg_notify($1, word) from unnest(string_to_array($2, ',')) as word) as told";
    let statement = Statement::new(Engine::Postgres, written(sql.into()), &[CHANNEL.into(), words.join(",").into()])?;
    conn.execute(statement).await.map(|_| ())
}

/// Wakes from now on; on PostgreSQL also those of other servers.
pub(super) async fn listen(inner: &Arc<Inner>) -> Result<Listener, StoreError> {
    if let Source::Postgres(options) = &inner.source {
        let mut listening = inner.wakes.listening.lock().await;
        if !*listening {
            let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(options.as_ref().clone());
            let mut listener = PgListener::connect_with(&pool).await?;
            listener.listen(CHANNEL).await?;
            tokio::spawn(hear_others(Arc::downgrade(inner), listener, inner.stop.clone()));
            *listening = true;
        }
    }
    Ok(Listener { receiver: inner.wakes.here.subscribe(), stop: inner.stop.clone() })
}

async fn hear_others(weak: Weak<Inner>, mut listener: PgListener, stop: CancellationToken) {
    let mut failures = 0;
    loop {
        let heard = tokio::select! {
            () = stop.cancelled() => return,
            heard = listener.try_recv() => heard,
        };
        let Some(inner) = weak.upgrade() else { return };
        match heard {
            Ok(Some(word)) => {
                failures = 0;
                if let Some((county, seq)) = parse(word.payload()) {
                    inner.wakes.tell(&county, seq);
                }
            }
            // The connection broke and is made again: what was said meanwhile is lost.
            Ok(None) => inner.wakes.everyone(Wake::All),
            Err(_) => {
                drop(inner);
                retry::pause(failures).await;
                failures += 1;
            }
        }
    }
}

/// `county seq`.
fn parse(payload: &str) -> Option<(CountyId, i64)> {
    let (county, seq) = payload.split_once(' ')?;
    Some((CountyId::new(county).ok()?, seq.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_other_servers() {
        let county = |word: &str| CountyId::new(word).unwrap();
        let cases = [
            ("miami-dade 17", Some((county("miami-dade"), 17))),
            ("miami-dade", None),
            ("miami dade 17", None),
            ("miami-dade x", None),
            ("", None),
        ];
        for (payload, expected) in cases {
            assert_eq!(parse(payload), expected, "{payload:?}");
        }
    }
}
