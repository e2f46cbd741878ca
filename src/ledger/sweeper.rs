//! What the clock brings about becomes a record: warnings about people in custody with no basis open, and balances that
//! fall due to be reserved or given back.
//!
//! The tables say what has come due; each becomes an ordinary command, whose request id is a hash of what it is about. So
//! any number of servers may sweep one database: idempotency is the only lock. No answer rests on a sweep: authority ends
//! at its instant, and the first record of a county settles what is due, whoever makes it. A sweep sees to it that there
//! is such a record in time, and that those who watch are told.

use super::{AsOf, Call, Command, Ledger, LedgerError};
use crate::domain::alerts::{self, Due};
use crate::domain::booking::{Alert, PostingCause};
use crate::domain::command::{BookingCommand, Follow};
use crate::domain::ids::{BookingId, CountyId};
use crate::domain::numbered::Numbered as _;
use crate::domain::time::Instant;
use crate::rows::{Cell, ColType};
use crate::store::Param;
use futures_util::future::join_all;
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often a server sweeps.
const TICK: Duration = Duration::from_secs(1);
/// Bookings of a county looked at in one sweep; what is left waits for the next.
const BOOKINGS: i64 = 256;
/// Commands on their way at once: enough to fill a batch of the lane.
const AT_ONCE: usize = 64;

/// Sweeps the counties of a ledger.
pub struct Sweeper {
    ledger: Ledger,
    /// Balances due up to here were settled.
    settled: Instant,
}

impl Sweeper {
    /// Over a ledger; nothing was swept yet.
    #[must_use]
    pub fn new(ledger: Ledger) -> Self {
        Self { ledger, settled: Instant::MIN }
    }

    /// Sweeps each second until `stop` is cancelled. What fails is tried again a second later.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(TICK) => {}
            }
            // A command under way runs in its lane, whether or not anybody waits for it.
            let swept = tokio::select! {
                () = stop.cancelled() => return,
                swept = self.sweep() => swept,
            };
            if let Err(error) = swept {
                tracing::warn!(%error, "a sweep did not come to its end; the next goes on");
            }
        }
    }

    /// Submits what has come due by now, the earliest first; how many commands recorded something. A county that cannot
    /// take its own is left out, the others are swept all the same.
    ///
    /// # Errors
    /// The store's; the last error of a county.
    pub async fn sweep(&mut self) -> Result<usize, LedgerError> {
        let now = self.ledger.now();
        let (mut recorded, mut failed) = (0, None);
        let settled = self.settle(now).await;
        match settled {
            Ok(count) => {
                recorded += count;
                self.settled = now;
            }
            Err(error) => failed = Some(error),
        }
        let sql = "select distinct county from bookings where to_seq is null and alert_at <= $1 order by county";
        for row in self.ledger.store().query(sql, &[now.into()], &[ColType::Text]).await? {
            let Some(county) = row.first().and_then(Cell::as_text).map(CountyId::trusted) else { continue };
            match self.warn(&county, now).await {
                Ok(count) => recorded += count,
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(recorded), Err)
    }

    /// Gives the warnings of a county that are due.
    async fn warn(&self, county: &CountyId, now: Instant) -> Result<usize, LedgerError> {
        let sql = "select booking from bookings where county = $1 and to_seq is null and alert_at <= $2 \
                   order by alert_at, booking limit $3";
        let params = [Param::from(county.as_str()), now.into(), BOOKINGS.into()];
        let rows = self.ledger.store().query(sql, &params, &[ColType::Text]).await?;
        let ids: Vec<BookingId> = rows.iter().filter_map(|row| row.first()?.as_text()).map(BookingId::trusted).collect();
        let pair = self.ledger.as_of(county, AsOf::Latest).await?;
        let known = self.ledger.bookings(county, &ids, pair).await?;
        let mut all: Vec<(Due, BookingId)> = Vec::new();
        for (id, booking) in &known {
            all.extend(alerts::due(booking, now).into_iter().map(|due| (due, id.clone())));
        }
        all.sort_by(|(a, id), (b, other)| (a.at, id, a.alert.level).cmp(&(b.at, other, b.alert.level)));
        let commands = all.into_iter().map(|(due, id)| {
            let Alert { hold, level, until } = due.alert;
            let about = hold.as_ref().map(ToString::to_string).unwrap_or_default();
            let body = format!("alert {id} {about} {} {}", level.number(), until.micros());
            (body, Command::Booking(id, BookingCommand::Alert(hold, level, until)))
        });
        self.submit(county, commands.collect()).await
    }

    /// Settles what has come due since the last sweep: one command of a county settles all that is due in it.
    async fn settle(&self, now: Instant) -> Result<usize, LedgerError> {
        let sql = "select county, min(settle_at) from bookings where to_seq is null and settle_at > $1 and settle_at <= $2 \
                   group by county order by county";
        let due = self.ledger.store().query(sql, &[self.settled.into(), now.into()], &[ColType::Text, ColType::Int]).await?;
        let (mut recorded, mut failed) = (0, None);
        for row in due {
            let [county, at] = row.as_slice() else { continue };
            let (Some(county), Some(at)) = (county.as_text().map(CountyId::trusted), at.as_int()) else { continue };
            let sql = "select min(booking) from bookings where county = $1 and to_seq is null and settle_at = $2";
            let first = self.ledger.store().query(sql, &[county.as_str().into(), at.into()], &[ColType::Text]).await?;
            let Some(id) = first.first().and_then(|row| row.first()?.as_text()).map(BookingId::trusted) else { continue };
            let body = format!("settle {id} {at}");
            let follow = BookingCommand::Follow(Follow { trigger: None, cause: PostingCause::Agreement });
            match self.submit(&county, vec![(body, Command::Booking(id, follow))]).await {
                Ok(count) => recorded += count,
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(recorded), Err)
    }

    /// Hands commands to the ledger in order; how many recorded something.
    async fn submit(&self, county: &CountyId, commands: Vec<(String, Command)>) -> Result<usize, LedgerError> {
        let mut recorded = 0;
        let mut commands = commands.into_iter().peekable();
        while commands.peek().is_some() {
            let some = commands.by_ref().take(AT_ONCE);
            let writes = some.map(|(body, command)| self.ledger.write(call(county, &body), command));
            for written in join_all(writes).await {
                let written = written?;
                recorded += usize::from(!written.events.is_empty() && !written.replayed);
            }
        }
        Ok(recorded)
    }
}

/// The call of a sweep: the same on every server.
fn call(county: &CountyId, body: &str) -> Call {
    Call {
        county: county.clone(),
        actor: "system".into(),
        person: "system".into(),
        method: "Sweep",
        request_id: hex::encode(Sha256::digest(format!("{county} {body}"))).into(),
        body: body.as_bytes().to_vec(),
        validate_only: false,
        etag: None,
        preview: None,
        history: false,
        sealed: Vec::new(),
    }
}
