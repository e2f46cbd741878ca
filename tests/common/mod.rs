//! Fresh databases for tests, of both engines.
//!
//! SQLite always, in a folder that goes away. PostgreSQL where `DETAINER_TEST_POSTGRES` names a server on which
//! databases can be made; with `DETAINER_TEST_REQUIRE_POSTGRES=1` a test fails where it does not.
#![allow(dead_code, reason = "each test program uses a part of this")]

pub mod asking;
pub mod decade;
pub mod desk;
pub mod jail;
pub mod program;
pub mod told;

use detainer::store::{Durability, Engine, Options, Store};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::sync::atomic::{AtomicU32, Ordering};

/// A database that only this test knows.
pub struct Fresh {
    /// The store, open.
    pub store: Store,
    /// Its address, for a second store on it.
    pub url: String,
    pub options: Options,
    place: Place,
}

enum Place {
    Folder { _folder: tempfile::TempDir },
    Server { server: String, database: String },
}

impl Fresh {
    pub fn engine(&self) -> Engine {
        self.store.engine()
    }

    /// Another store on the same database.
    pub async fn again(&self) -> Store {
        Store::open(&self.url, self.options.clone()).await.expect("the database opens again")
    }
}

/// Options for tests: not durable, so that they are fast, and short of patience.
pub fn options() -> Options {
    Options { durability: Durability::Unsafe, read_connections: 2, ..Options::default() }
}

/// One fresh store per engine.
pub async fn engines() -> Vec<Fresh> {
    engines_with(options()).await
}

/// One fresh store per engine, with options.
pub async fn engines_with(options: Options) -> Vec<Fresh> {
    let mut all = vec![sqlite(options.clone()).await];
    all.extend(postgres(options).await);
    all
}

/// A fresh file.
pub async fn sqlite(options: Options) -> Fresh {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    let store = Store::open(&url, options.clone()).await.expect("SQLite opens");
    Fresh { store, url, options, place: Place::Folder { _folder: folder } }
}

/// The server to test on, if there has to be one.
pub fn postgres_server() -> Option<String> {
    let server = std::env::var("DETAINER_TEST_POSTGRES").ok().filter(|url| !url.is_empty());
    let required = std::env::var("DETAINER_TEST_REQUIRE_POSTGRES").is_ok_and(|word| word == "1");
    assert!(server.is_some() || !required, "DETAINER_TEST_POSTGRES must name a PostgreSQL server");
    server
}

/// A fresh database on the server, if there is one.
pub async fn postgres(options: Options) -> Option<Fresh> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let server = postgres_server()?;
    let database = format!("detainer_test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    on_server(&server, format!("create database {database} template template0")).await;
    let url = with_database(&server, &database);
    let store = Store::open(&url, options.clone()).await.expect("PostgreSQL opens");
    Some(Fresh { store, url, options, place: Place::Server { server, database } })
}

/// The address of a database on a server.
fn with_database(server: &str, database: &str) -> String {
    let (address, parameters) = server.split_once('?').map_or((server, None), |(a, p)| (a, Some(p)));
    let (scheme, rest) = address.split_once("://").expect("an address");
    let authority = rest.split('/').next().unwrap_or(rest);
    let parameters = parameters.map(|p| format!("?{p}")).unwrap_or_default();
    format!("{scheme}://{authority}/{database}{parameters}")
}

/// Runs a statement on the server, outside any store.
pub async fn on_server(url: &str, sql: String) {
    let mut conn = PgConnection::connect(url).await.expect("the server answers");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await.expect("the server does it");
    conn.close().await.expect("the server says goodbye");
}

impl Drop for Fresh {
    fn drop(&mut self) {
        let Place::Server { server, database } = &self.place else { return };
        let (server, sql) = (server.clone(), format!("drop database if exists {database} with (force)"));
        // A drop cannot wait in the test's own runtime. While it waits here, a connection of that runtime may hang half open,
        // and the server waits for it in turn, for a minute: so not for longer than this.
        let (done, waits) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(on_server(&server, sql));
            let _ = done.send(());
        });
        let _ = waits.recv_timeout(std::time::Duration::from_secs(2));
    }
}
