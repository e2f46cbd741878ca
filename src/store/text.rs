//! The text of the statements that follow from a table's description alone.
//!
//! SQLite gets multi-row `values` with anonymous placeholders (named ones are searched for one by one while a
//! statement is prepared); PostgreSQL gets one array per column and `unnest`. Nothing from outside ever enters a
//! text: only names of described tables and columns, and counts.

use super::Engine;
use crate::rows::{ColType, Column, Kind, Table};
use std::fmt::Write as _;

/// The name of a type on PostgreSQL.
fn postgres_type(ty: ColType) -> &'static str {
    match ty {
        ColType::Int => "bigint",
        ColType::Text => "text",
        ColType::Bytes => "bytea",
    }
}

/// Names with a comma between them, each with a prefix.
fn list<'a>(prefix: &str, names: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for name in names {
        let comma = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{comma}{prefix}{name}");
    }
    text
}

/// `(?,?),(?,?)`: `rows` times `width` placeholders.
fn values(width: usize, rows: usize) -> String {
    let row = format!("({})", vec!["?"; width].join(","));
    vec![row; rows].join(",")
}

/// `unnest($1::text[],$2::bigint[])`: one array per column.
fn unnest(types: &[ColType]) -> String {
    let arrays: Vec<String> = types.iter().enumerate().map(|(at, ty)| format!("${}::{}[]", at + 1, postgres_type(*ty))).collect();
    format!("unnest({})", arrays.join(","))
}

/// `k0,k1,...`: the columns of the given values.
fn given(width: usize) -> String {
    (0..width).map(|at| format!("k{at}")).collect::<Vec<_>>().join(",")
}

/// The types of columns.
pub(super) fn types<'a>(columns: impl Iterator<Item = &'a Column>) -> Vec<ColType> {
    columns.map(|c| c.ty).collect()
}

/// Adds rows: `insert into t (a, b) ...`.
pub(super) fn insert(engine: Engine, table: &Table, rows: usize) -> String {
    let columns = list("", table.stored_columns().map(|c| c.name));
    let types = types(table.stored_columns());
    match engine {
        Engine::Sqlite => format!("insert into {} ({columns}) values {}", table.name, values(types.len(), rows)),
        Engine::Postgres => format!("insert into {} ({columns}) select * from {}", table.name, unnest(&types)),
    }
}

/// Adds rows, or gives those that are there another body.
pub(super) fn upsert(engine: Engine, table: &Table, rows: usize) -> String {
    let key = list("", table.key.iter().map(|c| c.name));
    let sets: Vec<String> = table.body.iter().map(|c| format!("{0} = excluded.{0}", c.name)).collect();
    format!("{} on conflict ({key}) do update set {}", insert(engine, table, rows), sets.join(", "))
}

/// Adds the rows whose key is not there yet.
pub(super) fn insert_missing(engine: Engine, table: &Table, rows: usize) -> String {
    let key = list("", table.key.iter().map(|c| c.name));
    format!("{} on conflict ({key}) do nothing", insert(engine, table, rows))
}

/// Ends the current versions of rows given by key; the last value of each row is `to_seq`.
pub(super) fn close(engine: Engine, table: &Table, rows: usize) -> String {
    let mut condition: Vec<String> = table.key.iter().enumerate().map(|(at, c)| format!("t.{} = k.k{at}", c.name)).collect();
    condition.push("t.to_seq is null".to_owned());
    let width = table.key.len() + 1;
    let mut of = types(table.key.iter());
    of.push(ColType::Int);
    update_from(engine, table, &format!("to_seq = k.k{}", width - 1), &condition, &of, rows)
}

/// Moves heads: the values are the county, the sequence expected there, and the new body.
pub(super) fn move_heads(engine: Engine, heads: &Table, rows: usize) -> String {
    let sets: Vec<String> = heads.body.iter().enumerate().map(|(at, c)| format!("{} = k.k{}", c.name, at + 2)).collect();
    let condition = ["t.county = k.k0".to_owned(), "t.seq = k.k1".to_owned()];
    update_from(engine, heads, &sets.join(", "), &condition, &head_types(heads), rows)
}

/// The types of the values of [`move_heads`].
pub(super) fn head_types(heads: &Table) -> Vec<ColType> {
    [ColType::Text, ColType::Int].into_iter().chain(types(heads.body.iter())).collect()
}

fn update_from(engine: Engine, table: &Table, sets: &str, condition: &[String], types: &[ColType], rows: usize) -> String {
    let (name, condition, given) = (table.name, condition.join(" and "), given(types.len()));
    match engine {
        Engine::Sqlite => {
            let values = values(types.len(), rows);
            format!("with k({given}) as (values {values}) update {name} as t set {sets} from k where {condition}")
        }
        Engine::Postgres => {
            format!("update {name} as t set {sets} from {} as k({given}) where {condition}", unnest(types))
        }
    }
}

/// All stored columns of a table called `t`: what [`super::read`] turns back into rows.
pub(super) fn select_list(table: &Table) -> String {
    list("t.", table.stored_columns().map(|c| c.name))
}

/// Reads rows by values of some columns; `tail` goes on after the condition (`and t.to_seq is null order by ...`).
pub(super) fn select_by(engine: Engine, table: &Table, by: &[&Column], tail: &str, rows: usize) -> String {
    let condition: Vec<String> = by.iter().enumerate().map(|(at, c)| format!("t.{} = k.k{at}", c.name)).collect();
    let (columns, name, condition, given) = (select_list(table), table.name, condition.join(" and "), given(by.len()));
    let of = types(by.iter().copied());
    match engine {
        // `cross join` is never reordered on SQLite: the values lead, the table is looked up.
        Engine::Sqlite => {
            let values = values(by.len(), rows);
            format!("with k({given}) as (values {values}) select {columns} from k cross join {name} t where {condition} {tail}")
        }
        Engine::Postgres => {
            format!("select {columns} from {} as k({given}) cross join {name} t where {condition} {tail}", unnest(&of))
        }
    }
}

/// How many rows the statements of a write take, largest first: powers of two, so that few texts serve all counts.
pub(super) fn sizes(engine: Engine, rows: usize) -> Vec<usize> {
    const LARGEST_SQLITE: usize = 256;
    const LARGEST_POSTGRES: usize = 1_000;
    let mut left = rows;
    let mut sizes = Vec::new();
    while left > 0 {
        let size = match engine {
            Engine::Sqlite => LARGEST_SQLITE.min(1 << left.ilog2()),
            Engine::Postgres => LARGEST_POSTGRES.min(left),
        };
        sizes.push(size);
        left -= size;
    }
    sizes
}

/// The first table a text reads, for messages.
pub(super) fn first_table(sql: &str) -> &str {
    let mut words = sql.split_whitespace();
    while let Some(word) = words.next() {
        if word.eq_ignore_ascii_case("from") {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            return words.next().map(|w| w.trim_matches(|c| !plain(c))).filter(|w| !w.is_empty()).unwrap_or("a query");
        }
    }
    "a query"
}

/// Whether rows of this table carry versions.
pub(super) fn is_versioned(table: &Table) -> bool {
    table.kind == Kind::Versioned
}

#[cfg(test)]
mod tests {
    use super::*;

    static T: Table = Table {
        name: "t1",
        kind: Kind::Versioned,
        key: &[Column::text("county"), Column::int("n")],
        body: &[Column::bytes("b").null()],
    };

    #[test]
    fn texts() {
        let cases = [
            (insert(Engine::Sqlite, &T, 2), "insert into t1 (county, n, b, from_seq, to_seq) values (?,?,?,?,?),(?,?,?,?,?)"),
            (
                insert(Engine::Postgres, &T, 2),
                "insert into t1 (county, n, b, from_seq, to_seq) select * from \
                 unnest($1::text[],$2::bigint[],$3::bytea[],$4::bigint[],$5::bigint[])",
            ),
            (
                close(Engine::Sqlite, &T, 1),
                "with k(k0,k1,k2) as (values (?,?,?)) update t1 as t set to_seq = k.k2 from k \
                 where t.county = k.k0 and t.n = k.k1 and t.to_seq is null",
            ),
            (
                close(Engine::Postgres, &T, 1),
                "update t1 as t set to_seq = k.k2 from unnest($1::text[],$2::bigint[],$3::bigint[]) as k(k0,k1,k2) \
                 where t.county = k.k0 and t.n = k.k1 and t.to_seq is null",
            ),
            (
                select_by(Engine::Sqlite, &T, &[&T.key[0]], "and t.to_seq is null", 2),
                "with k(k0) as (values (?),(?)) select t.county, t.n, t.b, t.from_seq, t.to_seq from k cross join t1 t \
                 where t.county = k.k0 and t.to_seq is null",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn statements_are_few_and_cover_all_rows() {
        assert_eq!(sizes(Engine::Sqlite, 0), [0_usize; 0]);
        assert_eq!(sizes(Engine::Sqlite, 37), [32, 4, 1]);
        assert_eq!(sizes(Engine::Sqlite, 600), [256, 256, 64, 16, 8]);
        assert_eq!(sizes(Engine::Postgres, 2_300), [1_000, 1_000, 300]);
        for rows in 0..2_000 {
            assert_eq!(sizes(Engine::Sqlite, rows).iter().sum::<usize>(), rows);
        }
    }

    #[test]
    fn the_first_table_of_a_text() {
        for (sql, table) in
            [("select a from holds h where", "holds"), ("select 1", "a query"), ("SELECT a FROM (select", "select")]
        {
            assert_eq!(first_table(sql), table, "{sql}");
        }
    }
}
