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

/// `unnest($1::text[],$2::bigint[])`: one array per column, numbered from `first`.
fn unnest(types: &[ColType], first: usize) -> String {
    let arrays: Vec<String> =
        types.iter().enumerate().map(|(at, ty)| format!("${}::{}[]", at + first, postgres_type(*ty))).collect();
    format!("unnest({})", arrays.join(","))
}

/// `k(k0,k1,...)`: the given values as a table.
fn given_as(width: usize) -> String {
    format!("k({})", (0..width).map(|at| format!("k{at}")).collect::<Vec<_>>().join(","))
}

/// The types of columns.
pub(super) fn types<'a>(columns: impl Iterator<Item = &'a Column>) -> Vec<ColType> {
    columns.map(|c| c.ty).collect()
}

/// What a statement that takes rows of values does with them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Op {
    /// Adds rows.
    Insert,
    /// Adds the rows whose key is not there yet.
    InsertMissing,
    /// Adds rows, or gives those that are there another body.
    Upsert,
    /// Ends the current versions of rows given by key; the last value of each row is `to_seq`.
    Close,
    /// Moves heads: the values are the county, the sequence expected there, and the new body.
    MoveHeads,
}

impl Op {
    /// Its name, for the texts that are kept.
    pub fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::InsertMissing => "insert missing",
            Self::Upsert => "upsert",
            Self::Close => "close",
            Self::MoveHeads => "move heads",
        }
    }

    /// Whether it adds rows, rather than changing some.
    pub fn adds(self) -> bool {
        matches!(self, Self::Insert | Self::InsertMissing | Self::Upsert)
    }

    /// The types of the values of each row.
    pub fn types(self, table: &Table) -> Vec<ColType> {
        match self {
            Self::Insert | Self::InsertMissing | Self::Upsert => types(table.stored_columns()),
            Self::Close => table.key.iter().map(|c| c.ty).chain([ColType::Int]).collect(),
            Self::MoveHeads => [ColType::Text, ColType::Int].into_iter().chain(table.body.iter().map(|c| c.ty)).collect(),
        }
    }

    /// The text for SQLite, for a number of rows.
    pub fn sqlite(self, table: &Table, rows: usize) -> String {
        let given = format!("values {}", values(self.types(table).len(), rows));
        if self.adds() {
            return self.insert(table, &given);
        }
        let width = self.types(table).len();
        format!("with {} as ({given}) {} from k where {}", given_as(width), self.update(table), self.condition(table))
    }

    /// The text for PostgreSQL, whose values are numbered from `first`.
    pub fn postgres(self, table: &Table, first: usize) -> String {
        let types = self.types(table);
        let given = unnest(&types, first);
        if self.adds() {
            return self.insert(table, &format!("select * from {given}"));
        }
        format!("{} from {given} as {} where {}", self.update(table), given_as(types.len()), self.condition(table))
    }

    fn insert(self, table: &Table, given: &str) -> String {
        let columns = list("", table.stored_columns().map(|c| c.name));
        let insert = format!("insert into {} ({columns}) {given}", table.name);
        let key = list("", table.key.iter().map(|c| c.name));
        match self {
            Self::InsertMissing => format!("{insert} on conflict ({key}) do nothing"),
            Self::Upsert => {
                let sets: Vec<String> = table.body.iter().map(|c| format!("{0} = excluded.{0}", c.name)).collect();
                format!("{insert} on conflict ({key}) do update set {}", sets.join(", "))
            }
            _ => insert,
        }
    }

    fn update(self, table: &Table) -> String {
        let sets = match self {
            Self::MoveHeads => {
                let sets = table.body.iter().enumerate().map(|(at, c)| format!("{} = k.k{}", c.name, at + 2));
                sets.collect::<Vec<_>>().join(", ")
            }
            _ => format!("to_seq = k.k{}", table.key.len()),
        };
        format!("update {} as t set {sets}", table.name)
    }

    fn condition(self, table: &Table) -> String {
        if self == Self::MoveHeads {
            return "t.county = k.k0 and t.seq = k.k1".to_owned();
        }
        let mut condition: Vec<String> = table.key.iter().enumerate().map(|(at, c)| format!("t.{} = k.k{at}", c.name)).collect();
        condition.push("t.to_seq is null".to_owned());
        condition.join(" and ")
    }
}

/// Several operations as one statement of PostgreSQL. It answers with the number of rows of each, and the server's
/// clock in microseconds. They must touch different rows: none sees what another does.
pub(super) fn bundle(parts: &[(Op, &Table)]) -> String {
    let (mut withs, mut counts, mut first) = (Vec::new(), Vec::new(), 1);
    for (at, (op, table)) in parts.iter().enumerate() {
        withs.push(format!("w{at} as ({} returning 1)", op.postgres(table, first)));
        counts.push(format!("(select count(*) from w{at})"));
        first += op.types(table).len();
    }
    let clock = "(extract(epoch from clock_timestamp()) * 1000000)::bigint";
    format!("with {} select {}, {clock}", withs.join(", "), counts.join(", "))
}

/// All stored columns of a table called `t`: what [`super::read`] turns back into rows.
pub(super) fn select_list(table: &Table) -> String {
    list("t.", table.stored_columns().map(|c| c.name))
}

/// Reads rows by values of some columns; `tail` goes on after the condition (`and t.to_seq is null order by ...`).
pub(super) fn select_by(engine: Engine, table: &Table, by: &[&Column], tail: &str, rows: usize) -> String {
    let condition: Vec<String> = by.iter().enumerate().map(|(at, c)| format!("t.{} = k.k{at}", c.name)).collect();
    let (columns, name, condition, given) = (select_list(table), table.name, condition.join(" and "), given_as(by.len()));
    let of = types(by.iter().copied());
    match engine {
        // `cross join` is never reordered on SQLite: the values lead, the table is looked up.
        Engine::Sqlite => {
            let values = values(by.len(), rows);
            format!("with {given} as (values {values}) select {columns} from k cross join {name} t where {condition} {tail}")
        }
        Engine::Postgres => {
            format!("select {columns} from {} as {given} cross join {name} t where {condition} {tail}", unnest(&of, 1))
        }
    }
}

/// How many rows the statements of a write on SQLite take, largest first: powers of two, so that few texts serve all
/// counts.
pub(super) fn sizes(rows: usize) -> Vec<usize> {
    const LARGEST: usize = 256;
    let mut left = rows;
    let mut sizes = Vec::new();
    while left > 0 {
        let size = LARGEST.min(1 << left.ilog2());
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
            (Op::Insert.sqlite(&T, 2), "insert into t1 (county, n, b, from_seq, to_seq) values (?,?,?,?,?),(?,?,?,?,?)"),
            (
                Op::Insert.postgres(&T, 3),
                "insert into t1 (county, n, b, from_seq, to_seq) select * from \
                 unnest($3::text[],$4::bigint[],$5::bytea[],$6::bigint[],$7::bigint[])",
            ),
            (
                Op::Close.sqlite(&T, 1),
                "with k(k0,k1,k2) as (values (?,?,?)) update t1 as t set to_seq = k.k2 from k \
                 where t.county = k.k0 and t.n = k.k1 and t.to_seq is null",
            ),
            (
                Op::Close.postgres(&T, 1),
                "update t1 as t set to_seq = k.k2 from unnest($1::text[],$2::bigint[],$3::bigint[]) as k(k0,k1,k2) \
                 where t.county = k.k0 and t.n = k.k1 and t.to_seq is null",
            ),
            (
                bundle(&[(Op::Close, &T), (Op::Close, &T)]),
                "with w0 as (update t1 as t set to_seq = k.k2 from unnest($1::text[],$2::bigint[],$3::bigint[]) as k(k0,k1,k2) \
                 where t.county = k.k0 and t.n = k.k1 and t.to_seq is null returning 1), \
                 w1 as (update t1 as t set to_seq = k.k2 from unnest($4::text[],$5::bigint[],$6::bigint[]) as k(k0,k1,k2) \
                 where t.county = k.k0 and t.n = k.k1 and t.to_seq is null returning 1) \
                 select (select count(*) from w0), (select count(*) from w1), \
                 (extract(epoch from clock_timestamp()) * 1000000)::bigint",
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
        assert_eq!(sizes(0), [0_usize; 0]);
        assert_eq!(sizes(37), [32, 4, 1]);
        assert_eq!(sizes(600), [256, 256, 64, 16, 8]);
        for rows in 0..2_000 {
            assert_eq!(sizes(rows).iter().sum::<usize>(), rows);
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
