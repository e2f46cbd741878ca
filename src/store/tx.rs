//! One transaction.
//!
//! It owns its connection. While a statement runs the transaction is marked; dropped in that state it closes the
//! connection, dropped between statements it rolls back in a task of its own and only then frees the connection.
//! Begin and commit are safe in the same way, the commit in a task of its own, so that it is finished even when
//! nobody waits for it any more.

use super::conn::{Conn, Statement, written};
use super::param::Param;
use super::read::{by_statements, rows_text, versions};
use super::{Engine, Head, Inner, StoreError, Tally, retry, text};
use crate::domain::ids::CountyId;
use crate::rows::tables::HEADS;
use crate::rows::{Cell, ColType, Table, Version};
use std::borrow::Cow;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// How much longer than the engine's own limit a statement may take on the wire.
const GRACE: Duration = Duration::from_secs(5);

/// A transaction that may write. Dropping it rolls it back.
pub struct Tx {
    pub(super) inner: Arc<Inner>,
    lease: Option<Lease>,
    /// A statement is running; if the transaction is dropped now, nobody knows what the connection is doing.
    running: bool,
    /// A statement failed: only a rollback is possible.
    pub(super) failed: bool,
    pub(super) tally: Tally,
}

/// A writer connection with the right to use it.
struct Lease {
    conn: Conn,
    permit: OwnedSemaphorePermit,
}

impl Tx {
    pub(super) async fn begin(inner: &Arc<Inner>) -> Result<Self, StoreError> {
        let patience = inner.options.begin_timeout;
        let permit = match tokio::time::timeout(patience, inner.permits.clone().acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_closed)) => return Err(StoreError::Closed),
            Err(_elapsed) => return Err(StoreError::Busy(patience)),
        };
        let mut permit = Some(permit);
        let mut attempt = 0;
        loop {
            match Self::try_begin(inner, &mut permit).await {
                Ok(tx) => return Ok(tx),
                Err(error) if error.is_retryable() && attempt < retry::ATTEMPTS => retry::pause(attempt).await,
                Err(error) => return Err(error),
            }
            attempt += 1;
        }
    }

    /// Takes a connection and begins on it. A free connection may have died while it lay idle; then it is dropped and
    /// the next attempt takes another.
    async fn try_begin(inner: &Arc<Inner>, permit: &mut Option<OwnedSemaphorePermit>) -> Result<Self, StoreError> {
        let mut conn = match inner.take_idle() {
            Some(conn) => conn,
            None => inner.connect().await?,
        };
        let begin = match inner.engine() {
            Engine::Sqlite => "begin immediate",
            Engine::Postgres => "begin",
        };
        // Dropped here, the connection is closed with whatever was begun.
        limit(inner, conn.raw(begin)).await?;
        let permit = permit.take().ok_or(StoreError::Closed)?;
        let lease = Some(Lease { conn, permit });
        Ok(Self { inner: inner.clone(), lease, running: false, failed: false, tally: Tally::default() })
    }

    /// What this transaction has written so far.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Locks the heads of counties, in their order, and reads them as they are then. On PostgreSQL this is a
    /// statement of its own: what is read in later statements is what the lock protects. Counties without a head
    /// are not in the answer.
    ///
    /// # Errors
    /// [`StoreError::Contended`] if a lock is not had in time.
    pub async fn lock_heads(&mut self, counties: &[CountyId]) -> Result<Vec<Head>, StoreError> {
        let keys: Vec<Vec<Cell>> = counties.iter().map(|c| vec![Cell::from(c.as_str())]).collect();
        let tail = match self.inner.engine() {
            Engine::Sqlite => "order by t.county",
            Engine::Postgres => "order by t.county for update of t",
        };
        let mut heads = self
            .rows_by(&HEADS, &["county"], &keys, tail)
            .await?
            .iter()
            .map(|v| Head::of(&v.row))
            .collect::<Result<Vec<_>, _>>()?;
        heads.sort_by(|a, b| a.county.cmp(&b.county));
        Ok(heads)
    }

    /// Reads rows of cells; see [`super::Store::query`].
    ///
    /// # Errors
    /// If the database cannot answer, or a value is not of the type given.
    pub async fn query(
        &mut self,
        sql: impl Into<Cow<'static, str>>,
        params: &[Param],
        types: &[ColType],
    ) -> Result<Vec<Vec<Cell>>, StoreError> {
        let statement = Statement::new(self.inner.engine(), written(sql.into()), params)?;
        self.fetch(statement, types).await
    }

    /// Reads rows of a table called `t`; see [`super::Store::rows`].
    ///
    /// # Errors
    /// If the database cannot answer, or a row does not fit its table.
    pub async fn rows(
        &mut self,
        table: &'static Table,
        tail: &'static str,
        params: &[Param],
    ) -> Result<Vec<Version>, StoreError> {
        let statement = Statement::new(self.inner.engine(), rows_text(&self.inner, table, tail), params)?;
        let cells = self.fetch(statement, &text::types(table.stored_columns())).await?;
        versions(table, cells)
    }

    /// Reads rows by values of some columns; see [`super::Store::rows_by`].
    ///
    /// # Errors
    /// If the database cannot answer, or a row does not fit its table.
    pub async fn rows_by(
        &mut self,
        table: &'static Table,
        by: &[&'static str],
        keys: &[Vec<Cell>],
        tail: &'static str,
    ) -> Result<Vec<Version>, StoreError> {
        let types = text::types(table.stored_columns());
        let mut found = Vec::new();
        for statement in by_statements(&self.inner, table, by, keys, tail)? {
            found.extend(self.fetch(statement, &types).await?);
        }
        versions(table, found)
    }

    /// Runs statements one after the other; answers with the number of rows changed.
    pub(super) async fn run(&mut self, statements: Vec<Statement>) -> Result<u64, StoreError> {
        let inner = self.inner.clone();
        let conn = self.start(statements.len())?;
        let result = limit(&inner, async {
            let mut changed = 0;
            for statement in statements {
                changed += conn.execute(statement).await?;
            }
            Ok(changed)
        })
        .await;
        self.finish(result)
    }

    pub(super) async fn fetch(&mut self, statement: Statement, types: &[ColType]) -> Result<Vec<Vec<Cell>>, StoreError> {
        let inner = self.inner.clone();
        let conn = self.start(1)?;
        let result = limit(&inner, conn.fetch(statement, types)).await;
        self.finish(result)
    }

    /// The connection, for statements that begin now.
    fn start(&mut self, statements: usize) -> Result<&mut Conn, StoreError> {
        if self.failed || self.running {
            return Err(StoreError::Spent);
        }
        let lease = self.lease.as_mut().ok_or(StoreError::Spent)?;
        self.running = true;
        self.tally.statements += statements as u64;
        Ok(&mut lease.conn)
    }

    /// Statements have ended.
    fn finish<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        // A connection in doubt stays marked, so that it is closed.
        self.running = result.as_ref().is_err_and(StoreError::breaks_connection);
        self.failed |= result.is_err();
        result
    }

    /// Makes it so. The commit is carried through even if this call is dropped.
    ///
    /// # Errors
    /// [`StoreError::Spent`] if a statement failed before: everything is rolled back. [`StoreError::CommitUnknown`] if
    /// nobody knows whether it was done. Any other error: it was not done.
    pub async fn commit(mut self) -> Result<Tally, StoreError> {
        if self.failed || self.running {
            return Err(StoreError::Spent);
        }
        let lease = self.lease.take().ok_or(StoreError::Spent)?;
        let mut tally = std::mem::take(&mut self.tally);
        tally.commits = 1;
        let inner = self.inner.clone();
        let task = tokio::spawn(async move {
            commit(&inner, lease).await?;
            inner.tally.lock().unwrap_or_else(PoisonError::into_inner).add(&tally);
            inner.checkpoints.wrote(tally.rows());
            Ok(tally)
        });
        task.await.unwrap_or(Err(StoreError::CommitUnknown))
    }

    /// Undoes everything and waits until it is undone.
    pub async fn rollback(mut self) {
        if let Some(lease) = self.lease.take()
            && !self.running
        {
            roll_back(&self.inner, lease).await;
        }
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        let Some(lease) = self.lease.take() else { return };
        // In the middle of a statement, or without a runtime to roll back in, the connection is closed instead.
        if let (false, Ok(runtime)) = (self.running, tokio::runtime::Handle::try_current()) {
            let inner = self.inner.clone();
            runtime.spawn(async move { roll_back(&inner, lease).await });
        }
    }
}

/// Commits, and frees the connection if it is known to be clean.
async fn commit(inner: &Inner, lease: Lease) -> Result<(), StoreError> {
    let Lease { mut conn, permit } = lease;
    let mut attempt = 0;
    let result = loop {
        match limit(inner, conn.raw("commit")).await {
            // SQLite: the transaction is still open, and a reader or a checkpoint was in the way.
            Err(StoreError::Contended(_)) if inner.engine() == Engine::Sqlite && attempt < retry::ATTEMPTS => {
                retry::pause(attempt).await;
            }
            result => break result,
        }
        attempt += 1;
    };
    match result {
        Ok(()) => {
            inner.give_back(conn);
            drop(permit);
            Ok(())
        }
        // Refused with a reason that says it was undone.
        Err(error @ (StoreError::Contended(_) | StoreError::Duplicate(_))) => {
            roll_back(inner, Lease { conn, permit }).await;
            Err(error)
        }
        Err(_) => Err(StoreError::CommitUnknown),
    }
}

/// Rolls back, and frees the connection if that worked; otherwise closes it.
async fn roll_back(inner: &Inner, lease: Lease) {
    let Lease { mut conn, permit } = lease;
    match limit(inner, conn.raw("rollback")).await {
        Ok(()) => inner.give_back(conn),
        Err(_) => drop(conn),
    }
    drop(permit);
}

/// Bounds what goes over a network. A file answers in its own time: there is nobody to give up on.
async fn limit<T>(inner: &Inner, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    match inner.engine() {
        Engine::Sqlite => work.await,
        Engine::Postgres => {
            let longest = inner.options.statement_timeout + GRACE;
            tokio::time::timeout(longest, work).await.unwrap_or(Err(StoreError::Timeout))
        }
    }
}
