//! What both engines must do alike: one suite, run on each.

mod common;

use common::{Fresh, engines, engines_with, options};
use detainer::domain::ids::CountyId;
use detainer::domain::time::Instant;
use detainer::rows::tables::{self, ALL, BUDGETS, DECISIONS, HEADS, HOLDS, JOURNAL, PRINCIPALS, REQUESTS, SUBJECTS};
use detainer::rows::{Batch, Cell, Changes, Closing, ColType, Column, Row, Table, Version};
use detainer::store::{Durability, Engine, Head, HeadMove, Migrations, Options, Param, Store, StoreError, Wake};
use futures_util::FutureExt as _;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

fn county(word: &str) -> CountyId {
    CountyId::new(word).unwrap()
}

fn head(word: &str, seq: i64) -> Head {
    Head {
        county: county(word),
        seq,
        frontier: vec![7; 32].into(),
        recorded_at: Instant::from_micros(seq * 10),
        format: 1,
        epoch: 0,
    }
}

fn step(word: &str, expect_seq: i64, seq: i64) -> HeadMove {
    HeadMove { expect_seq, to: head(word, seq) }
}

/// A row of any table in which every cell differs by `n`; nullable cells are filled where `full`.
fn sample(table: &'static Table, n: i64, full: bool) -> Row {
    let cell = |column: &Column| match column.ty {
        _ if column.nullable && !full => Cell::Null,
        ColType::Int => Cell::Int(n),
        ColType::Text => format!("{}-{n}", column.name).into(),
        ColType::Bytes => n.to_be_bytes().as_slice().into(),
    };
    Row::new(table, table.key.iter().map(cell).collect(), table.body.iter().map(cell).collect())
}

fn budget(word: &str, reserved: i64) -> Row {
    Row::new(&BUDGETS, vec![word.into(), "a1".into()], vec![reserved.into(), 0_i64.into()])
}

fn version(row: Row, from_seq: i64, to_seq: Option<i64>) -> Version {
    Version { row, from_seq, to_seq }
}

async fn write(store: &Store, rows: &[Row]) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    tx.insert(rows).await?;
    tx.commit().await.map(|_| ())
}

async fn count(store: &Store, table: &Table) -> i64 {
    let rows = store.query(format!("select count(*) from {}", table.name), &[], &[ColType::Int]).await.unwrap();
    rows[0][0].as_int().unwrap()
}

/// Columns of a real table: name, type, nullable, place in the primary key (from 1).
async fn real_columns(fresh: &Fresh, table: &Table) -> Vec<(String, String, bool, i64)> {
    let sql = match fresh.engine() {
        Engine::Sqlite => "select name, lower(type), \"notnull\" = 0, pk from pragma_table_info($1) order by cid",
        Engine::Postgres => {
            "select c.column_name::text,
                    case when c.data_type = 'text' and c.collation_name is distinct from 'C' then 'text in another order'
                         else c.data_type::text end,
                    c.is_nullable = 'YES',
                    coalesce(array_position(i.indkey::int2[], a.attnum) + 1, 0)::bigint
             from information_schema.columns c
             join pg_attribute a on a.attrelid = $1::regclass and a.attname = c.column_name
             join pg_index i on i.indrelid = $1::regclass and i.indisprimary
             where c.table_schema = 'public' and c.table_name = $1 order by c.ordinal_position"
        }
    };
    let types = [ColType::Text, ColType::Text, ColType::Int, ColType::Int];
    let rows = fresh.store.query(sql, &[table.name.into()], &types).await.unwrap();
    let text = |cell: &Cell| cell.as_text().unwrap().to_owned();
    rows.iter().map(|r| (text(&r[0]), text(&r[1]), r[2] == Cell::Int(1), r[3].as_int().unwrap())).collect()
}

#[tokio::test]
async fn described_and_real_tables_agree() {
    for fresh in engines().await {
        for table in ALL {
            let key: Vec<&str> = match table.kind {
                detainer::rows::Kind::Versioned => table.key.iter().map(|c| c.name).chain(["from_seq"]).collect(),
                _ => table.key.iter().map(|c| c.name).collect(),
            };
            let ty = |column: &Column| match (fresh.engine(), column.ty) {
                (Engine::Sqlite, ColType::Int) => "integer",
                (Engine::Sqlite, ColType::Bytes) => "blob",
                (_, ColType::Text) => "text",
                (Engine::Postgres, ColType::Int) => "bigint",
                (Engine::Postgres, ColType::Bytes) => "bytea",
            };
            let place =
                |column: &Column| key.iter().position(|k| *k == column.name).map_or(0, |at| i64::try_from(at).unwrap() + 1);
            let described: Vec<_> =
                table.stored_columns().map(|c| (c.name.to_owned(), ty(c).to_owned(), c.nullable, place(c))).collect();
            assert_eq!(real_columns(&fresh, table).await, described, "{} on {:?}", table.name, fresh.engine());
        }
    }
}

#[tokio::test]
async fn no_table_is_undescribed_and_sqlite_checks_types() {
    for fresh in engines().await {
        let sql = match fresh.engine() {
            Engine::Sqlite => "select name, strict from pragma_table_list where schema = 'main' and type = 'table' order by name",
            Engine::Postgres => "select tablename::text, 1 from pg_tables where schemaname = 'public' order by 1",
        };
        let rows = fresh.store.query(sql, &[], &[ColType::Text, ColType::Int]).await.unwrap();
        let mut names: Vec<&str> = ALL.iter().map(|t| t.name).collect();
        names.sort_unstable();
        let own =
            |row: &&Vec<Cell>| !row[0].as_text().unwrap().starts_with("sqlite_") && row[0].as_text() != Some("_sqlx_migrations");
        let found: Vec<_> = rows.iter().filter(own).collect();
        assert_eq!(found.iter().map(|r| r[0].as_text().unwrap()).collect::<Vec<_>>(), names);
        assert!(found.iter().all(|r| r[1] == Cell::Int(1)), "a table of SQLite is not strict: {found:?}");
    }
}

/// Every table takes full and sparse rows and gives them back, in one statement and in many.
#[tokio::test]
async fn what_is_written_is_read() {
    for fresh in engines().await {
        for table in ALL {
            for (first, rows) in [(0, 1_i64), (1_000, 37), (10_000, 1_200)] {
                let rows: Vec<Row> = (first..first + rows).map(|n| sample(table, n, n % 2 == 0)).collect();
                let versions: Vec<Version> = match table.kind {
                    detainer::rows::Kind::Versioned => rows.iter().map(|r| version(r.clone(), 5, None)).collect(),
                    _ => rows.iter().map(|r| version(r.clone(), 0, None)).collect(),
                };
                let mut tx = fresh.store.begin().await.unwrap();
                match table.kind {
                    detainer::rows::Kind::Versioned => tx.insert_versions(&versions).await.unwrap(),
                    _ => tx.insert(&rows).await.unwrap(),
                }
                assert_eq!(tx.tally().inserted[table.name], rows.len() as u64);
                assert!(tx.tally().statements <= 12, "{} statements for {} rows", tx.tally().statements, rows.len());
                tx.commit().await.unwrap();
                let keys: Vec<Vec<Cell>> = rows.iter().map(|r| r.key.clone()).collect();
                let by: Vec<&'static str> = table.key.iter().map(|c| c.name).collect();
                let mut found = fresh.store.rows_by(table, &by, &keys, "").await.unwrap();
                let mut expected = versions;
                found.sort_by(|a, b| a.row.key.cmp(&b.row.key));
                expected.sort_by(|a, b| a.row.key.cmp(&b.row.key));
                assert_eq!(found, expected, "{} on {:?}", table.name, fresh.engine());
            }
        }
    }
}

#[tokio::test]
async fn a_key_may_stand_only_once() {
    for fresh in engines().await {
        for table in ALL {
            let row = sample(table, 1, true);
            let mut tx = fresh.store.begin().await.unwrap();
            let twice = [row.clone(), row];
            let result = match table.kind {
                detainer::rows::Kind::Versioned => tx.insert_versions(&twice.map(|row| version(row, 1, None))).await,
                _ => tx.insert(&twice).await,
            };
            assert_eq!(result, Err(StoreError::Duplicate(table.name.to_owned())), "{:?}", fresh.engine());
            assert_eq!(tx.commit().await.map(|_| ()), Err(StoreError::Spent), "{:?}", fresh.engine());
            assert_eq!(count(&fresh.store, table).await, 0);
        }
    }
}

#[tokio::test]
async fn a_row_has_one_current_version() {
    for fresh in engines().await {
        let mut tx = fresh.store.begin().await.unwrap();
        tx.insert_versions(&[version(budget("a", 1), 1, None)]).await.unwrap();
        let result = tx.insert_versions(&[version(budget("a", 2), 2, None)]).await;
        assert_eq!(result, Err(StoreError::Duplicate("budgets".to_owned())), "{:?}", fresh.engine());
        drop(tx);

        // Where no index says so, closing does.
        let hold = sample(&HOLDS, 1, true);
        let mut tx = fresh.store.begin().await.unwrap();
        tx.insert_versions(&[version(hold.clone(), 1, None), version(hold.clone(), 2, None)]).await.unwrap();
        let result = tx.close_versions(&[Closing { table: &HOLDS, key: hold.key, to_seq: 3 }]).await;
        assert_eq!(result, Err(StoreError::WrongCount { table: "holds", expected: 1, found: 2 }), "{:?}", fresh.engine());
    }
}

#[tokio::test]
async fn versions_close_and_open_and_answer_as_of() {
    for fresh in engines().await {
        let store = &fresh.store;
        let mut tx = store.begin().await.unwrap();
        tx.insert_versions(&[version(budget("a", 1), 3, None), version(budget("b", 1), 4, None)]).await.unwrap();
        tx.commit().await.unwrap();

        let mut batch = Batch::new();
        let changes = |reserved| Changes {
            closed: vec![(&BUDGETS, budget("a", 0).key)],
            opened: vec![budget("a", reserved)],
            appended: vec![],
        };
        batch.add(changes(2), 7);
        batch.add(changes(3), 9);
        batch.append(sample(&JOURNAL, 9, true));
        let mut tx = store.begin().await.unwrap();
        tx.flush(&batch, &[]).await.unwrap();
        assert_eq!(tx.tally().updated["budgets"], 1);
        assert_eq!(tx.tally().inserted["budgets"], 2);
        tx.commit().await.unwrap();

        for (seq, expected) in [(2, None), (3, Some(1)), (6, Some(1)), (7, Some(2)), (8, Some(2)), (9, Some(3)), (99, Some(3))] {
            let tail = "where t.county = $1 and t.from_seq <= $2 and (t.to_seq is null or t.to_seq > $2)";
            let rows = store.rows(&BUDGETS, tail, &["a".into(), seq.into()]).await.unwrap();
            let found = rows.first().and_then(|v| v.row.get("reserved_cents")).and_then(Cell::as_int);
            assert_eq!(found, expected, "as of {seq} on {:?}", fresh.engine());
            assert!(rows.len() <= 1);
        }
        let untouched = store.rows(&BUDGETS, "where t.county = $1", &["b".into()]).await.unwrap();
        assert_eq!(untouched, [version(budget("b", 1), 4, None)]);
    }
}

#[tokio::test]
async fn closing_what_is_not_open_is_refused() {
    for fresh in engines().await {
        let closing = |word: &str| Closing { table: &BUDGETS, key: budget(word, 0).key, to_seq: 2 };
        let mut tx = fresh.store.begin().await.unwrap();
        tx.insert_versions(&[version(budget("a", 1), 1, None)]).await.unwrap();
        let result = tx.close_versions(&[closing("a"), closing("b")]).await;
        assert_eq!(result, Err(StoreError::WrongCount { table: "budgets", expected: 2, found: 1 }));
        assert_eq!(tx.query("select 1", &[], &[ColType::Int]).await, Err(StoreError::Spent));
        assert_eq!(tx.commit().await.map(|_| ()), Err(StoreError::Spent));
        assert_eq!(count(&fresh.store, &BUDGETS).await, 0);
    }
}

#[tokio::test]
async fn heads_are_made_once_locked_and_moved_with_a_fence() {
    for fresh in engines().await {
        let store = &fresh.store;
        let mut tx = store.begin().await.unwrap();
        assert_eq!(tx.create_heads(&[head("b", 0), head("a", 0)]).await, Ok(2));
        assert_eq!(tx.create_heads(&[head("a", 5)]).await, Ok(0));
        tx.commit().await.unwrap();

        let mut tx = store.begin().await.unwrap();
        let locked = tx.lock_heads(&[county("c"), county("b"), county("a"), county("b")]).await.unwrap();
        assert_eq!(locked, [head("a", 0), head("b", 0)]);
        let clock = tx.update_heads(&[step("a", 0, 3), step("b", 0, 8)]).await.unwrap();
        assert_eq!(clock.is_some(), fresh.engine() == Engine::Postgres);
        assert_eq!(tx.tally().updated["heads"], 2);
        tx.commit().await.unwrap();

        for moves in [vec![step("a", 2, 4)], vec![step("a", 3, 4), step("c", 0, 1)]] {
            let mut tx = store.begin().await.unwrap();
            let result = tx.update_heads(&moves).await;
            assert_eq!(result, Err(StoreError::HeadMoved { expected: moves.len() as u64, moved: 1 }));
            assert_eq!(tx.commit().await.map(|_| ()), Err(StoreError::Spent));
        }
        let heads = store.rows(&HEADS, "order by t.county", &[]).await.unwrap();
        let heads: Vec<Head> = heads.iter().map(|v| Head::of(&v.row).unwrap()).collect();
        assert_eq!(heads, [head("a", 3), head("b", 8)]);
    }
}

/// Many writers each read the head and move it on by one: no step is lost, whatever the engine does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_take_turns_at_a_head() {
    for fresh in engines().await {
        let mut tx = fresh.store.begin().await.unwrap();
        tx.create_heads(&[head("a", 0)]).await.unwrap();
        tx.commit().await.unwrap();
        let second = fresh.again().await;
        let tasks: Vec<_> = (0..8)
            .map(|n| {
                let store = if n % 2 == 0 { fresh.store.clone() } else { second.clone() };
                tokio::spawn(async move {
                    for _ in 0..20 {
                        store.write(|tx| next(tx).boxed()).await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let rows = fresh.store.query("select seq from heads", &[], &[ColType::Int]).await.unwrap();
        assert_eq!(rows, [[Cell::Int(160)]], "{:?}", fresh.engine());
        let seqs = fresh.store.query("select count(*), max(seq) from journal", &[], &[ColType::Int; 2]).await.unwrap();
        assert_eq!(seqs, [[Cell::Int(160), Cell::Int(160)]], "{:?}", fresh.engine());
        second.close().await;
    }
}

async fn next(tx: &mut detainer::store::Tx) -> Result<(), StoreError> {
    let heads = tx.lock_heads(&[county("a")]).await?;
    let seq = heads[0].seq + 1;
    let mut row = sample(&JOURNAL, seq, true);
    row.key[0] = "a".into();
    tx.insert(&[row]).await?;
    tx.update_heads(&[step("a", seq - 1, seq)]).await.map(|_| ())
}

#[tokio::test]
async fn a_dropped_transaction_leaves_nothing_and_frees_its_connection() {
    let one = Options { write_connections: 1, ..options() };
    for fresh in engines_with(one).await {
        let mut tx = fresh.store.begin().await.unwrap();
        tx.insert(&[sample(&JOURNAL, 1, true)]).await.unwrap();
        drop(tx);
        let tx = fresh.store.begin().await.unwrap();
        tx.rollback().await;
        assert_eq!(count(&fresh.store, &JOURNAL).await, 0, "{:?}", fresh.engine());
    }
}

/// Futures are dropped in the middle of every step: the next transaction always finds a clean connection and nothing
/// of the dropped one.
#[tokio::test]
async fn a_dropped_future_leaves_nothing_open() {
    let one = Options { write_connections: 1, ..options() };
    for fresh in engines_with(one).await {
        let mut rounds = 0;
        for stage in 0..=4 {
            let mut hits = 0;
            while hits < 5 {
                assert!(rounds < 500, "{:?}: stage {stage} is never interrupted", fresh.engine());
                hits += u32::from(dropped_at(&fresh, stage, Duration::from_micros(40) * hits).await == stage);
                // A clean connection: begin would fail or warn inside an open transaction, and the rows would be there.
                let mut tx = fresh.store.begin().await.unwrap();
                tx.insert(&[sample(&DECISIONS, rounds, true)]).await.unwrap();
                tx.commit().await.unwrap();
                rounds += 1;
            }
        }
        assert_eq!(count(&fresh.store, &JOURNAL).await, 0, "{:?}", fresh.engine());
        assert_eq!(count(&fresh.store, &REQUESTS).await, 0, "{:?}", fresh.engine());
        assert_eq!(count(&fresh.store, &DECISIONS).await, rounds, "{:?}", fresh.engine());
    }
}

/// Drops a transaction's future some time after it has reached a stage. The stage it was in.
async fn dropped_at(fresh: &Fresh, stage: i32, later: Duration) -> i32 {
    let reached = std::cell::Cell::new(0);
    let work = async {
        let mut tx = fresh.store.begin().await?;
        reached.set(1);
        tx.query("select count(*) from journal", &[], &[ColType::Int]).await?;
        reached.set(2);
        tx.insert(&[sample(&JOURNAL, 1, true)]).await?;
        reached.set(3);
        tx.insert(&(0..300).map(|n| sample(&REQUESTS, n, true)).collect::<Vec<_>>()).await?;
        reached.set(4);
        std::future::pending::<Result<(), StoreError>>().await
    };
    let mut work = std::pin::pin!(work);
    loop {
        std::future::poll_fn(|context| Poll::Ready(work.as_mut().poll(context).is_ready())).await;
        if reached.get() >= stage {
            break;
        }
        tokio::time::sleep(Duration::from_micros(20)).await;
    }
    // The engine goes on meanwhile; nobody looks.
    std::thread::sleep(later);
    reached.get()
}

#[tokio::test]
async fn a_dropped_commit_is_carried_through() {
    for fresh in engines().await {
        let mut tx = fresh.store.begin().await.unwrap();
        tx.insert(&[sample(&JOURNAL, 1, true)]).await.unwrap();
        let mut commit = Box::pin(tx.commit());
        assert!(std::future::poll_fn(|context| Poll::Ready(commit.as_mut().poll(context).is_pending())).await);
        drop(commit);
        for _ in 0..200 {
            if count(&fresh.store, &JOURNAL).await == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(count(&fresh.store, &JOURNAL).await, 1, "{:?}", fresh.engine());
    }
}

#[tokio::test]
async fn too_many_transactions_wait_and_then_are_refused() {
    let hasty = Options { write_connections: 1, begin_timeout: Duration::from_millis(50), ..options() };
    for fresh in engines_with(hasty).await {
        let tx = fresh.store.begin().await.unwrap();
        assert_eq!(fresh.store.begin().await.err(), Some(StoreError::Busy(Duration::from_millis(50))));
        tx.rollback().await;
        assert!(fresh.store.begin().await.is_ok());
    }
}

/// What a hand may put in a name or a remark comes back as it was.
#[tokio::test]
async fn hostile_text_is_only_text() {
    for fresh in engines().await {
        let texts =
            ["'; drop table journal; --", "$1", "?", "%_\\", "\u{202e}abc", "é\u{301}", "\"", "a,b} {NULL", "", "\u{10ffff}"];
        let rows: Vec<Row> = texts
            .iter()
            .enumerate()
            .map(|(n, text)| {
                let mut row = sample(&JOURNAL, i64::try_from(n).unwrap(), true);
                row.body[0] = (*text).into();
                row
            })
            .collect();
        write(&fresh.store, &rows).await.unwrap();
        for text in texts {
            let found = fresh.store.rows(&JOURNAL, "where t.stream = $1", &[text.into()]).await.unwrap();
            assert_eq!(found.len(), 1, "{text:?} on {:?}", fresh.engine());
            let by = fresh.store.rows_by(&JOURNAL, &["stream"], &[vec![text.into()]], "").await.unwrap();
            assert_eq!(by, found, "{text:?} on {:?}", fresh.engine());
        }
        let mut bad = sample(&JOURNAL, 99, true);
        bad.body[0] = "a\0b".into();
        let error = write(&fresh.store, &[bad]).await.unwrap_err();
        assert_eq!(error.to_string(), "a row of journal cannot be stored: stream holds a NUL character");
    }
}

/// Text is ordered by its bytes on both engines, whatever language the server speaks.
#[tokio::test]
async fn order_is_the_same() {
    for fresh in engines().await {
        let texts = ["a", "B", "b", "A", "ä", "Z", "_", "-", "10", "9", "é", "zz"];
        let rows: Vec<Row> = texts
            .iter()
            .map(|text| {
                let mut row = sample(&REQUESTS, 1, true);
                row.key[1] = (*text).into();
                row
            })
            .collect();
        write(&fresh.store, &rows).await.unwrap();
        let found =
            fresh.store.query("select request_id from requests order by request_id", &[], &[ColType::Text]).await.unwrap();
        let found: Vec<&str> = found.iter().map(|r| r[0].as_text().unwrap()).collect();
        let mut expected = texts;
        expected.sort_unstable();
        assert_eq!(found, expected, "{:?}", fresh.engine());
    }
}

#[tokio::test]
async fn numbers_and_bytes_keep_their_whole_range() {
    for fresh in engines().await {
        let mut row = sample(&JOURNAL, 1, true);
        row.body[1] = i64::MAX.into();
        row.body[2] = i64::MIN.into();
        row.body[3] = (0..=255_u8).cycle().take(300_000).collect::<Vec<_>>().into();
        row.body[4] = Vec::<u8>::new().into();
        write(&fresh.store, &[row.clone()]).await.unwrap();
        let found = fresh.store.rows(&JOURNAL, "", &[]).await.unwrap();
        assert!(found == [version(row, 0, None)], "{:?}", fresh.engine());
    }
}

/// Values that are nothing have a type; numbers of other widths are numbers.
#[tokio::test]
async fn parameters_that_are_nothing() {
    for fresh in engines().await {
        write(&fresh.store, &[sample(&JOURNAL, 1, true)]).await.unwrap();
        let sql = "select count(*), 1, sum(seq) from journal where (cast($1 as text) is null or stream = $1)
                   and (cast($2 as bigint) is null or seq = $2)";
        let sql = match fresh.engine() {
            Engine::Postgres => sql.replace("sum(seq)", "cast(sum(seq) as bigint)"),
            Engine::Sqlite => sql.to_owned(),
        };
        let cases = [
            (Param::Text(None), Param::Int(None), 1),
            (Param::from("stream-1"), Param::Int(None), 1),
            (Param::from("other"), Param::Int(None), 0),
            (Param::Text(None), Param::from(1), 1),
            (Param::Text(None), Param::from(2), 0),
        ];
        for (text, number, expected) in cases {
            let rows = fresh.store.query(sql.clone(), &[text.clone(), number.clone()], &[ColType::Int; 3]).await.unwrap();
            let sum = if expected == 0 { Cell::Null } else { Cell::Int(1) };
            assert_eq!(rows, [[Cell::Int(expected), Cell::Int(1), sum]], "{text:?} {number:?} on {:?}", fresh.engine());
        }
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_named() {
    for fresh in engines().await {
        write(&fresh.store, &[sample(&JOURNAL, 1, true)]).await.unwrap();
        let types = [ColType::Text, ColType::Int];
        let error = fresh.store.query("select county, payload from journal", &[], &types).await.unwrap_err();
        assert_eq!(error.to_string(), "row county-1 of journal cannot be read: column 2 is not a number", "{:?}", fresh.engine());
        let error = fresh.store.query("select county from journal", &[], &types).await.unwrap_err();
        assert_eq!(error, StoreError::WrongShape { table: "journal".into(), expected: 2, found: 1 });
        let error = fresh.store.query("select nonsense from secret_table", &[], &types).await.unwrap_err();
        assert!(!error.to_string().contains("secret_table") && !error.to_string().contains("select"), "{error}");
    }
}

#[tokio::test]
async fn live_rows_are_replaced_and_counted() {
    for fresh in engines().await {
        let mut tx = fresh.store.begin().await.unwrap();
        tx.upsert(&[sample(&SUBJECTS, 1, true), sample(&SUBJECTS, 2, true)]).await.unwrap();
        tx.commit().await.unwrap();
        let mut changed = sample(&SUBJECTS, 1, false);
        changed.body[2] = vec![9_u8].into();
        let mut tx = fresh.store.begin().await.unwrap();
        tx.upsert(&[changed.clone()]).await.unwrap();
        let sql = "update principals set revoked_at = $1 where id = $2";
        let missing = tx.execute(&PRINCIPALS, sql, &[5.into(), "nobody".into()], None).await;
        assert_eq!(missing, Ok(0));
        tx.commit().await.unwrap();
        let found = fresh.store.rows(&SUBJECTS, "order by t.county", &[]).await.unwrap();
        assert_eq!(found, [version(changed, 0, None), version(sample(&SUBJECTS, 2, true), 0, None)]);
        let mut tx = fresh.store.begin().await.unwrap();
        let refused = tx.execute(&PRINCIPALS, sql, &[5.into(), "nobody".into()], Some(1)).await;
        assert_eq!(refused, Err(StoreError::WrongCount { table: "principals", expected: 1, found: 0 }));
        drop(tx);
        let mut tx = fresh.store.begin().await.unwrap();
        assert!(matches!(tx.upsert(&[sample(&JOURNAL, 1, true)]).await, Err(StoreError::BadRow(_))));
    }
}

#[tokio::test]
async fn long_answers_come_in_parts() {
    for fresh in engines().await {
        let rows: Vec<Row> = (0..1_300).map(|n| sample(&JOURNAL, n, true)).collect();
        write(&fresh.store, &rows).await.unwrap();
        let sql = "select seq from journal where seq >= $1 order by seq";
        let mut chunks = fresh.store.stream(sql, &[100.into()], &[ColType::Int]).unwrap();
        let (mut sizes, mut next) = (vec![], 100);
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.unwrap();
            sizes.push(chunk.len());
            for row in chunk {
                assert_eq!(row, [Cell::Int(next)]);
                next += 1;
            }
        }
        assert_eq!((sizes, next), (vec![512, 512, 176], 1_300), "{:?}", fresh.engine());

        let mut bad = fresh.store.stream("select seq, nonsense from journal", &[], &[ColType::Int]).unwrap();
        assert!(bad.next().await.unwrap().is_err());
        assert!(bad.next().await.is_none());

        // Many streams that nobody finishes do not use the connections up, nor stop a short read.
        for _ in 0..20 {
            let mut chunks = fresh.store.stream(sql, &[0.into()], &[ColType::Int]).unwrap();
            assert_eq!(chunks.next().await.unwrap().unwrap().len(), 512);
        }
        assert_eq!(count(&fresh.store, &JOURNAL).await, 1_300);
    }
}

#[tokio::test]
async fn a_reader_that_stops_is_let_go() {
    let hasty = Options { reader_timeout: Duration::from_millis(50), ..options() };
    for fresh in engines_with(hasty).await {
        let rows: Vec<Row> = (0..3_000).map(|n| sample(&JOURNAL, n, true)).collect();
        write(&fresh.store, &rows).await.unwrap();
        let mut chunks = fresh.store.stream("select seq from journal", &[], &[ColType::Int]).unwrap();
        // The first part says that the query runs; then nobody looks for ten times as long as is allowed.
        let mut last = chunks.next().await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        while let Some(chunk) = chunks.next().await {
            last = Some(chunk);
        }
        assert_eq!(last, Some(Err(StoreError::ReaderTooSlow(Duration::from_millis(50)))), "{:?}", fresh.engine());
    }
}

#[tokio::test]
async fn wakes_reach_every_store() {
    for fresh in engines().await {
        let second = fresh.again().await;
        let mut here = fresh.store.listen().await.unwrap();
        let mut there = second.listen().await.unwrap();
        fresh.store.notify(&county("a"), 3);
        fresh.store.notify(&county("a"), 3);
        fresh.store.notify(&county("a"), 2);
        fresh.store.notify(&county("b"), 1);
        let wake = |word: &str, seq| Some(Wake::County { county: county(word), seq });
        assert_eq!(here.next().await, wake("a", 3));
        assert_eq!(here.next().await, wake("b", 1));
        if fresh.engine() == Engine::Postgres {
            let far = tokio::time::timeout(Duration::from_secs(5), async { [there.next().await, there.next().await] }).await;
            assert_eq!(far.unwrap(), [wake("a", 3), wake("b", 1)]);
            // The echo of our own word wakes nobody twice.
            assert!(tokio::time::timeout(Duration::from_millis(100), here.next()).await.is_err());
        }
        fresh.store.close().await;
        assert_eq!(here.next().await, None);
        second.close().await;
    }
}

#[tokio::test]
async fn a_closed_store_says_so_and_keeps_what_was_written() {
    for fresh in engines().await {
        write(&fresh.store, &[sample(&JOURNAL, 1, true)]).await.unwrap();
        fresh.store.close().await;
        assert_eq!(fresh.store.begin().await.err(), Some(StoreError::Closed));
        assert_eq!(fresh.store.ping().await, Err(StoreError::Closed));
        let again = fresh.again().await;
        assert_eq!(count(&again, &JOURNAL).await, 1, "{:?}", fresh.engine());
        again.close().await;
    }
}

#[tokio::test]
async fn newer_and_older_databases_are_refused() {
    for fresh in engines().await {
        let refuse = Options { migrations: Migrations::Refuse, ..options() };
        assert!(Store::open(&fresh.url, refuse.clone()).await.is_ok());
        let list = "_sqlx_migrations";
        let run = |sql: String| {
            let store = fresh.store.clone();
            async move {
                let mut tx = store.begin().await.unwrap();
                tx.execute(&HEADS, sql, &[], None).await.unwrap();
                tx.commit().await.unwrap();
            }
        };
        run(format!("insert into {list} (version, description, success, checksum, execution_time) select 9999, description, success, checksum, 0 from {list}")).await;
        for options in [options(), refuse.clone()] {
            let error = Store::open(&fresh.url, options).await.err();
            assert_eq!(error, Some(StoreError::NewerDatabase(9999)), "{:?}", fresh.engine());
        }
        run(format!("delete from {list}")).await;
        assert_eq!(Store::open(&fresh.url, refuse).await.err(), Some(StoreError::OlderDatabase(1)), "{:?}", fresh.engine());
    }
}

/// Programs that start at the same moment migrate once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_that_start_together_migrate_once() {
    for fresh in engines().await {
        let mut tx = fresh.store.begin().await.unwrap();
        for table in ALL.iter().map(|t| t.name).chain(["_sqlx_migrations"]) {
            tx.execute(&HEADS, format!("drop table {table}"), &[], None).await.unwrap();
        }
        tx.commit().await.unwrap();
        fresh.store.close().await;
        let opens: Vec<_> = (0..4)
            .map(|_| {
                let (url, options) = (fresh.url.clone(), fresh.options.clone());
                tokio::spawn(async move { Store::open(&url, options).await.map(|_| ()) })
            })
            .collect();
        for open in opens {
            assert_eq!(open.await.unwrap(), Ok(()), "{:?}", fresh.engine());
        }
    }
}

#[tokio::test]
async fn addresses_that_are_none() {
    for (url, says) in [
        ("mysql://x", "must begin with sqlite:// or postgres://"),
        ("sqlite://", "must be sqlite://PATH, a path to a file, without parameters"),
        ("sqlite://:memory:", "must be sqlite://PATH, a path to a file, without parameters"),
        ("postgres://user:secret@host:port/x", "is no address of a PostgreSQL database"),
    ] {
        let error = Store::open(url, options()).await.err();
        assert_eq!(error, Some(StoreError::BadUrl(says)), "{url}");
    }
}

/// Nothing that follows from a description is a scan: every lookup by key uses an index.
#[tokio::test]
async fn sqlite_looks_up_what_it_closes_and_reads() {
    let fresh = common::sqlite(options()).await;
    let sqls = [
        "with k(k0,k1,k2,k3) as (values (?,?,?,?),(?,?,?,?)) update holds as t set to_seq = k.k3 from k
         where t.county = k.k0 and t.booking = k.k1 and t.hold = k.k2 and t.to_seq is null",
        "with k(k0,k1) as (values (?,?),(?,?)) select t.seq from k cross join journal t where t.county = k.k0 and t.stream = k.k1",
        "with k(k0,k1,k2) as (values (?,?,?)) update heads as t set seq = k.k2 from k where t.county = k.k0 and t.seq = k.k1",
    ];
    for sql in sqls {
        let types = [ColType::Int, ColType::Int, ColType::Int, ColType::Text];
        let plan = fresh.store.query(format!("explain query plan {sql}"), &[], &types).await.unwrap();
        let steps: Vec<String> = plan.iter().map(|r| r[3].as_text().unwrap().to_owned()).collect();
        assert!(!steps.iter().any(|s| s.starts_with("SCAN t")), "{steps:?}");
        assert!(steps.iter().any(|s| s.starts_with("SEARCH t USING")), "{steps:?}");
    }
}

/// Only the durable kind opens without the flag that says otherwise.
#[tokio::test]
async fn engines_that_may_forget_are_refused() {
    let durable = Options { durability: Durability::Full, ..options() };
    let fresh = common::sqlite(durable.clone()).await;
    let mut tx = fresh.store.begin().await.unwrap();
    let rows = tx.query("select synchronous from pragma_synchronous", &[], &[ColType::Int]).await.unwrap();
    assert_eq!(rows, [[Cell::Int(2)]]);
    drop(tx);
    if let Some(fresh) = common::postgres(options()).await {
        let database = fresh.url.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
        common::on_server(&fresh.url, format!("alter database {database} set synchronous_commit = off")).await;
        let error = Store::open(&fresh.url, durable).await.err();
        let unsafe_setting = |setting| Some(StoreError::Unsafe { setting, found: "off".into(), wanted: "on" });
        // On a server with `fsync=off` that is found first.
        assert!(error == unsafe_setting("synchronous_commit") || error == unsafe_setting("fsync"), "{error:?}");
        assert!(Store::open(&fresh.url, options()).await.is_ok());
    }
}

/// A connection that died while it lay idle is replaced, for reads and for writes.
#[tokio::test]
async fn connections_that_died_are_replaced() {
    let Some(fresh) = common::postgres(options()).await else { return };
    write(&fresh.store, &[sample(&JOURNAL, 1, true)]).await.unwrap();
    assert_eq!(count(&fresh.store, &JOURNAL).await, 1);
    common::on_server(
        &fresh.url,
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
            .into(),
    )
    .await;
    write(&fresh.store, &[sample(&JOURNAL, 2, true)]).await.unwrap();
    assert_eq!(count(&fresh.store, &JOURNAL).await, 2);
}

/// Ends all connections to a database but the one that asks for it.
async fn hang_up(url: &str) {
    let sql = "select pg_terminate_backend(pid) from pg_stat_activity
               where datname = current_database() and pid <> pg_backend_pid()";
    common::on_server(url, sql.to_owned()).await;
}

/// A connection that breaks before the commit was answered leaves the outcome open, and says so.
#[tokio::test]
async fn a_commit_without_an_answer_is_of_unknown_outcome() {
    let Some(fresh) = common::postgres(options()).await else { return };
    let mut tx = fresh.store.begin().await.unwrap();
    tx.insert(&[sample(&JOURNAL, 1, true)]).await.unwrap();
    hang_up(&fresh.url).await;
    assert_eq!(tx.commit().await, Err(StoreError::CommitUnknown));

    let mut tx = fresh.store.begin().await.unwrap();
    hang_up(&fresh.url).await;
    let error = tx.insert(&[sample(&JOURNAL, 2, true)]).await.unwrap_err();
    assert!(matches!(error, StoreError::Disconnected(_)), "{error}");
    assert_eq!(tx.commit().await, Err(StoreError::Spent));
    assert_eq!(count(&fresh.store, &JOURNAL).await, 0);
}

/// Work is done again where the connection broke, and a head that somebody else holds is given up on in time.
#[tokio::test]
async fn what_is_in_the_way_is_tried_again() {
    let hasty = Options { lock_timeout: Duration::from_millis(50), ..options() };
    let Some(fresh) = common::postgres(hasty).await else { return };
    fresh.store.write(|tx| async { tx.create_heads(&[head("a", 0)]).await }.boxed()).await.unwrap();
    let attempts = AtomicU32::new(0);
    let done = fresh
        .store
        .write(|tx| {
            let first = attempts.fetch_add(1, Ordering::SeqCst) == 0;
            let url = fresh.url.clone();
            async move {
                if first {
                    hang_up(&url).await;
                }
                tx.insert(&[sample(&JOURNAL, 1, true)]).await
            }
            .boxed()
        })
        .await;
    assert_eq!(done, Ok(()));
    assert_eq!(attempts.load(Ordering::SeqCst), 2);

    let mut holder = fresh.store.begin().await.unwrap();
    holder.lock_heads(&[county("a")]).await.unwrap();
    let mut other = fresh.store.begin().await.unwrap();
    assert_eq!(other.lock_heads(&[county("a")]).await, Err(StoreError::Contended("55P03".into())));
    holder.rollback().await;
    drop(other);
    let mut other = fresh.store.begin().await.unwrap();
    assert_eq!(other.lock_heads(&[county("a")]).await.unwrap().len(), 1);
}

/// Whoever waits for a head reads, after the wait, what the holder wrote: the lock is a statement of its own.
#[tokio::test]
async fn after_the_lock_the_others_work_is_seen() {
    let Some(fresh) = common::postgres(options()).await else { return };
    let mut holder = fresh.store.begin().await.unwrap();
    holder.create_heads(&[head("a", 0)]).await.unwrap();
    holder.commit().await.unwrap();
    let mut holder = fresh.store.begin().await.unwrap();
    holder.lock_heads(&[county("a")]).await.unwrap();
    let store = fresh.store.clone();
    let waiter = tokio::spawn(async move {
        let mut tx = store.begin().await.unwrap();
        let heads = tx.lock_heads(&[county("a")]).await.unwrap();
        let rows = tx.query("select count(*) from requests", &[], &[ColType::Int]).await.unwrap();
        (heads[0].seq, rows[0][0].clone())
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut batch = Batch::new();
    batch.append(sample(&REQUESTS, 1, true));
    holder.flush(&batch, &[step("a", 0, 1)]).await.unwrap();
    holder.commit().await.unwrap();
    assert_eq!(waiter.await.unwrap(), (1, Cell::Int(1)));
}

/// The log of a file is copied and starts over while writes go on, by the task beside them: the writer itself would
/// only do it at eight times the pages.
#[tokio::test]
async fn the_log_starts_over() {
    const PAGES: u64 = 200;
    let fresh = common::sqlite(Options { checkpoint_pages: PAGES, ..options() }).await;
    let log = format!("{}-wal", fresh.url.strip_prefix("sqlite://").unwrap());
    let mut longest = 0;
    for n in 0..150 {
        let rows: Vec<Row> = (0..100).map(|m| sample(&JOURNAL, n * 100 + m, true)).collect();
        write(&fresh.store, &rows).await.unwrap();
        longest = longest.max(std::fs::metadata(&log).unwrap().len());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(longest > PAGES * 2_048, "too little was written to tell: {longest}");
    assert!(longest < PAGES * 7 * 4_096, "{longest} bytes of log");
}

/// The rows of one command: the count that the promise of few rows per command is held to.
#[tokio::test]
async fn the_tally_counts_rows_and_statements() {
    for fresh in engines().await {
        let mut tx = fresh.store.begin().await.unwrap();
        tx.create_heads(&[head("a", 0)]).await.unwrap();
        tx.commit().await.unwrap();
        let before = fresh.store.tally();
        let mut batch = Batch::new();
        batch.append(sample(&JOURNAL, 1, true));
        batch.append(sample(&REQUESTS, 1, true));
        let opened = vec![sample(&tables::DETAINERS, 1, true)];
        batch.add(Changes { closed: vec![], opened, appended: vec![sample(&DECISIONS, 1, true)] }, 1);
        let mut tx = fresh.store.begin().await.unwrap();
        let clock = tx.flush(&batch, &[step("a", 0, 1)]).await.unwrap();
        assert_eq!(clock.is_some(), fresh.engine() == Engine::Postgres);
        assert_eq!(tx.tally().statements, if fresh.engine() == Engine::Postgres { 1 } else { 5 });
        let tally = tx.commit().await.unwrap();
        assert_eq!(
            tally.inserted.iter().map(|(t, n)| (*t, *n)).collect::<Vec<_>>(),
            [("decisions", 1), ("detainers", 1), ("journal", 1), ("requests", 1)]
        );
        assert_eq!(tally.updated.iter().map(|(t, n)| (*t, *n)).collect::<Vec<_>>(), [("heads", 1)]);
        assert_eq!(fresh.store.tally().rows() - before.rows(), 5);
        assert_eq!(fresh.store.tally().commits - before.commits, 1);
    }
}

/// A hold's row is wide: five thousand of them close and open in one transaction.
#[tokio::test]
async fn a_county_at_once() {
    let moved = HOLDS.body.iter().position(|column| column.name == "authority_until").unwrap();
    for fresh in engines().await {
        let rows: Vec<Row> = (0..5_000).map(|n| sample(&HOLDS, n, false)).collect();
        let mut tx = fresh.store.begin().await.unwrap();
        tx.insert_versions(&rows.iter().map(|r| version(r.clone(), 1, None)).collect::<Vec<_>>()).await.unwrap();
        tx.commit().await.unwrap();
        let mut batch = Batch::new();
        for row in rows {
            let mut later = row.clone();
            later.body[moved] = 77_i64.into();
            batch.add(Changes { closed: vec![(&HOLDS, row.key)], opened: vec![later], appended: vec![] }, 2);
        }
        let mut tx = fresh.store.begin().await.unwrap();
        tx.flush(&batch, &[]).await.unwrap();
        assert!(tx.tally().statements < 60, "{}", tx.tally().statements);
        tx.commit().await.unwrap();
        assert_eq!(count(&fresh.store, &HOLDS).await, 10_000);
    }
}
