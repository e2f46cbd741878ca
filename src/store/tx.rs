//! One transaction.
//!
//! It owns its connection. While a statement runs the transaction is marked; dropped in that state it closes the
//! connection, dropped between statements it rolls back in a task of its own and only then frees the connection.
//! Begin and commit are safe in the same way, the commit in a task of its own, so that it is finished even when
//! nobody waits for it any more.

use super::conn::{Conn, Statement, made, written};
use super::param::{Grid, Param, postgres_grid, sqlite_grid};
use super::read::{by_statements, rows_text, versions};
use super::{Engine, Head, HeadMove, Inner, StoreError, Tally, retry, text};
use crate::domain::ids::CountyId;
use crate::domain::time::Instant;
use crate::rows::tables::{self, HEADS};
use crate::rows::{Batch, Cell, Closing, ColType, Kind, Row, Table, Version};
use std::borrow::Cow;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// How much longer than the engine's own limit a statement may take on the wire.
const GRACE: Duration = Duration::from_secs(5);

/// A transaction that may write. Dropping it rolls it back.
pub struct Tx {
    inner: Arc<Inner>,
    lease: Option<Lease>,
    /// A statement is running; if the transaction is dropped now, nobody knows what the connection is doing.
    running: bool,
    /// A statement failed: only a rollback is possible.
    failed: bool,
    tally: Tally,
}

/// A writer connection with the right to use it.
struct Lease {
    conn: Conn,
    permit: OwnedSemaphorePermit,
}

/// What multi-row statements do.
#[derive(Clone, Copy)]
enum Write {
    Insert,
    InsertMissing,
    Upsert,
}

impl Write {
    fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::InsertMissing => "insert missing",
            Self::Upsert => "upsert",
        }
    }

    fn text(self, engine: Engine, table: &Table, rows: usize) -> String {
        match self {
            Self::Insert => text::insert(engine, table, rows),
            Self::InsertMissing => text::insert_missing(engine, table, rows),
            Self::Upsert => text::upsert(engine, table, rows),
        }
    }
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

    /// Makes the heads that are not there yet; answers with how many it made. It leaves those that are there alone.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn create_heads(&mut self, heads: &[Head]) -> Result<u64, StoreError> {
        let rows: Vec<Row> = heads.iter().map(Head::row).collect();
        self.write_rows(Write::InsertMissing, &rows).await
    }

    /// Moves heads forward, each only from where it is expected to stand.
    ///
    /// On PostgreSQL it answers with the server's clock, read after all locks were had.
    ///
    /// # Errors
    /// [`StoreError::HeadMoved`] if one of them stands elsewhere or is missing; nothing can be committed then.
    pub async fn update_heads(&mut self, moves: &[HeadMove]) -> Result<Option<Instant>, StoreError> {
        let rows: Vec<Vec<Cell>> = moves
            .iter()
            .map(|step| {
                let Row { key, body, .. } = step.to.row();
                key.into_iter().chain([step.expect_seq.into()]).chain(body).collect()
            })
            .collect();
        let cells: Vec<Vec<&Cell>> = rows.iter().map(|row| row.iter().collect()).collect();
        let types = text::head_types(&HEADS);
        let statements =
            self.grids("move heads", &HEADS, &types, &cells, |engine, rows| text::move_heads(engine, &HEADS, rows))?;
        let expected = moves.len() as u64;
        let found = self.run(statements).await?;
        *self.tally.updated.entry(HEADS.name).or_default() += found;
        if found != expected {
            self.failed = true;
            return Err(StoreError::HeadMoved { expected, moved: expected.saturating_sub(found) });
        }
        self.server_clock().await
    }

    /// The server's clock, where there is a server.
    async fn server_clock(&mut self) -> Result<Option<Instant>, StoreError> {
        if self.inner.engine() == Engine::Sqlite {
            return Ok(None);
        }
        let sql = "select (extract(epoch from clock_timestamp()) * 1000000)::bigint";
        let answer = self.query(sql, &[], &[ColType::Int]).await?;
        Ok(answer.first().and_then(|row| row.first()).and_then(Cell::as_int).map(Instant::from_micros))
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

    /// Runs a statement that was written by hand and must change `expected` rows, if a number is given. For tables
    /// whose rows are changed in place; `table` is the one it changes.
    ///
    /// # Errors
    /// [`StoreError::WrongCount`] if it changes another number of rows; nothing can be committed then.
    pub async fn execute(
        &mut self,
        table: &'static Table,
        sql: impl Into<Cow<'static, str>>,
        params: &[Param],
        expected: Option<u64>,
    ) -> Result<u64, StoreError> {
        let statement = Statement::new(self.inner.engine(), written(sql.into()), params)?;
        let found = self.run(vec![statement]).await?;
        *self.tally.updated.entry(table.name).or_default() += found;
        self.counted(table, expected.unwrap_or(found), found)
    }

    /// Adds rows to tables without versions: few statements per table, whatever the number of rows.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] if one is there already, [`StoreError::BadRow`] if one does not fit.
    pub async fn insert(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        self.write_rows(Write::Insert, rows).await.map(|_| ())
    }

    /// Adds rows to tables whose rows are changed in place, or replaces the bodies of those that are there.
    ///
    /// # Errors
    /// [`StoreError::BadRow`] if one does not fit or belongs to another kind of table.
    pub async fn upsert(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        if let Some(row) = rows.iter().find(|row| row.table.kind != Kind::Live) {
            return Err(wrong_kind(row.table, "is never changed in place"));
        }
        self.write_rows(Write::Upsert, rows).await.map(|_| ())
    }

    /// Adds versions of rows.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] if a row already has a current version or one from the same sequence on.
    pub async fn insert_versions(&mut self, versions: &[Version]) -> Result<(), StoreError> {
        for (table, versions) in grouped(versions, |version| version.row.table) {
            if !text::is_versioned(table) {
                return Err(wrong_kind(table, "has no versions"));
            }
            let ends: Vec<[Cell; 2]> = versions.iter().map(|v| [v.from_seq.into(), v.to_seq.into()]).collect();
            let mut cells = Vec::with_capacity(versions.len());
            for (version, ends) in versions.iter().zip(&ends) {
                version.row.check()?;
                cells.push(version.row.cells().chain(ends).collect());
            }
            self.write_cells(Write::Insert, table, &cells).await?;
        }
        Ok(())
    }

    /// Ends current versions.
    ///
    /// # Errors
    /// [`StoreError::WrongCount`] if a row has no current version; nothing can be committed then.
    pub async fn close_versions(&mut self, closings: &[Closing]) -> Result<(), StoreError> {
        for (table, closings) in grouped(closings, |closing| closing.table) {
            if !text::is_versioned(table) {
                return Err(wrong_kind(table, "has no versions"));
            }
            let ends: Vec<Cell> = closings.iter().map(|closing| closing.to_seq.into()).collect();
            let cells: Vec<Vec<&Cell>> =
                closings.iter().zip(&ends).map(|(closing, end)| closing.key.iter().chain([end]).collect()).collect();
            if cells.iter().any(|row| row.len() != table.key.len() + 1) {
                return Err(wrong_kind(table, "has a key of another length"));
            }
            let types: Vec<ColType> = table.key.iter().map(|c| c.ty).chain([ColType::Int]).collect();
            let statements = self.grids("close", table, &types, &cells, |engine, rows| text::close(engine, table, rows))?;
            let found = self.run(statements).await?;
            *self.tally.updated.entry(table.name).or_default() += found;
            self.counted(table, closings.len() as u64, found)?;
        }
        Ok(())
    }

    /// Writes all that a batch of commands did: ends versions, adds versions, adds rows; table by table in the order
    /// of [`tables::ALL`].
    ///
    /// # Errors
    /// As for the single writes.
    pub async fn write(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.close_versions(batch.closings()).await?;
        self.insert_versions(batch.versions()).await?;
        self.insert(batch.appended()).await
    }

    async fn write_rows(&mut self, write: Write, rows: &[Row]) -> Result<u64, StoreError> {
        let mut written = 0;
        for (table, rows) in grouped(rows, |row| row.table) {
            if text::is_versioned(table) {
                return Err(wrong_kind(table, "is written by version"));
            }
            let mut cells = Vec::with_capacity(rows.len());
            for row in rows {
                row.check()?;
                cells.push(row.cells().collect());
            }
            written += self.write_cells(write, table, &cells).await?;
        }
        Ok(written)
    }

    /// Writes rows of one table, which fit it.
    async fn write_cells(&mut self, write: Write, table: &'static Table, cells: &[Vec<&Cell>]) -> Result<u64, StoreError> {
        let types = text::types(table.stored_columns());
        let statements = self.grids(write.name(), table, &types, cells, |engine, rows| write.text(engine, table, rows))?;
        let found = self.run(statements).await?;
        *self.tally.inserted.entry(table.name).or_default() += found;
        match write {
            Write::Insert | Write::Upsert => self.counted(table, cells.len() as u64, found),
            Write::InsertMissing => Ok(found),
        }
    }

    /// Statements that take rows of values, of as few sizes as serve.
    fn grids(
        &self,
        name: &'static str,
        table: &'static Table,
        types: &[ColType],
        cells: &[Vec<&Cell>],
        make: impl Fn(Engine, usize) -> String,
    ) -> Result<Vec<Statement>, StoreError> {
        let engine = self.inner.engine();
        let mut statements = Vec::new();
        let mut rest = cells;
        for size in text::sizes(engine, cells.len()) {
            let (now, later) = rest.split_at(size.min(rest.len()));
            rest = later;
            let grid = Grid { types, rows: now };
            let (args, of_size) = match engine {
                Engine::Sqlite => (sqlite_grid(grid, size)?, size),
                Engine::Postgres => (postgres_grid(grid)?, 0),
            };
            let sql = self.inner.text((name, table.name, of_size, Cow::Borrowed("")), || make(engine, size));
            statements.push(Statement { sql: made(sql), args });
        }
        Ok(statements)
    }

    /// Fails the transaction unless a number of rows is the expected one.
    fn counted(&mut self, table: &'static Table, expected: u64, found: u64) -> Result<u64, StoreError> {
        if expected == found {
            return Ok(found);
        }
        self.failed = true;
        Err(StoreError::WrongCount { table: table.name, expected, found })
    }

    /// Runs statements one after the other; answers with the number of rows changed.
    async fn run(&mut self, statements: Vec<Statement>) -> Result<u64, StoreError> {
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

    async fn fetch(&mut self, statement: Statement, types: &[ColType]) -> Result<Vec<Vec<Cell>>, StoreError> {
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

/// Things by table, in the order of [`tables::ALL`]; each table's in the order given.
fn grouped<T>(things: &[T], table_of: impl Fn(&T) -> &'static Table) -> Vec<(&'static Table, Vec<&T>)> {
    let place = |table: &'static Table| tables::ALL.iter().position(|t| t.name == table.name);
    let mut groups: Vec<(&'static Table, Vec<&T>)> = Vec::new();
    for thing in things {
        let table = table_of(thing);
        match groups.iter_mut().find(|(known, _)| known.name == table.name) {
            Some((_, group)) => group.push(thing),
            None => groups.push((table, vec![thing])),
        }
    }
    groups.sort_by_key(|(table, _)| place(table));
    groups
}

fn wrong_kind(table: &'static Table, why: &'static str) -> StoreError {
    StoreError::BadRow(crate::rows::BadRow { table: table.name, column: "the table", why })
}
