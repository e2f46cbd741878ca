//! Bringing a database up to date, by one program at a time.

use super::conn::Conn;
use super::{Migrations, StoreError};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Connection as _, SqliteConnection};

static SQLITE: Migrator = sqlx::migrate!("./migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("./migrations/postgres");

/// The table in which the migrations run are listed.
const LIST: &str = "_sqlx_migrations";

/// Runs what is missing, or says that something is. A newer database is refused in either case.
pub(super) async fn bring_up_to_date(conn: &mut Conn, migrations: Migrations) -> Result<(), StoreError> {
    let result = match (conn, migrations) {
        (Conn::Sqlite(conn), Migrations::Run) => run_sqlite(conn).await,
        // The migrator holds an advisory lock meanwhile.
        (Conn::Postgres(conn), Migrations::Run) => POSTGRES.run_direct(None, conn, false).await,
        (Conn::Sqlite(conn), Migrations::Refuse) => return check(&SQLITE, conn).await,
        (Conn::Postgres(conn), Migrations::Refuse) => return check(&POSTGRES, conn).await,
    };
    result.map_err(of_migration)
}

/// SQLite has no advisory lock: the whole run is one exclusive transaction.
#[expect(clippy::disallowed_methods, reason = "migrations run before the store is open, on a connection of their own")]
async fn run_sqlite(conn: &mut SqliteConnection) -> Result<(), MigrateError> {
    let mut tx = conn.begin_with("begin exclusive").await?;
    SQLITE.run_direct(None, &mut *tx, false).await?;
    tx.commit().await?;
    Ok(())
}

/// Says whether a database is exactly as old as this program.
async fn check<C: sqlx::migrate::Migrate>(known: &Migrator, conn: &mut C) -> Result<(), StoreError> {
    // Without the list there is no database yet.
    let applied = conn.list_applied_migrations(LIST).await.unwrap_or_default();
    for migration in &applied {
        match known.iter().find(|m| m.version == migration.version) {
            None => return Err(of_migration(MigrateError::VersionMissing(migration.version))),
            Some(ours) if ours.checksum != migration.checksum => return Err(StoreError::ForeignMigration(migration.version)),
            Some(_) => {}
        }
    }
    match known.iter().find(|m| !applied.iter().any(|done| done.version == m.version)) {
        Some(missing) => Err(StoreError::OlderDatabase(missing.version)),
        None => Ok(()),
    }
}

fn of_migration(error: MigrateError) -> StoreError {
    let newest = SQLITE.iter().chain(POSTGRES.iter()).map(|m| m.version).max().unwrap_or(0);
    match error {
        MigrateError::VersionMissing(version) if version > newest => StoreError::NewerDatabase(version),
        MigrateError::VersionMissing(version) | MigrateError::VersionMismatch(version) => StoreError::ForeignMigration(version),
        MigrateError::Execute(error) => StoreError::from(error),
        MigrateError::ExecuteMigration(error, version) => {
            StoreError::Migration(format!("{version}: {}", StoreError::from(error)))
        }
        _ => StoreError::Migration("the list of migrations is damaged".to_owned()),
    }
}
