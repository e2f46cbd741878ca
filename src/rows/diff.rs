//! The difference between the rows of a state before and after a command.

use super::{Cell, Kind, Row, Table, id_of};
use std::cmp::Ordering;

/// What must happen to the tables so that they show the later state.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changes {
    /// Keys of versioned rows that are no longer so, or no longer so with this body.
    pub closed: Vec<(&'static Table, Vec<Cell>)>,
    /// Versioned rows that are new, or new with this body.
    pub opened: Vec<Row>,
    /// Rows added to append-only tables.
    pub appended: Vec<Row>,
}

impl Changes {
    /// Whether nothing has to happen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.closed.is_empty() && self.opened.is_empty() && self.appended.is_empty()
    }
}

/// Two sets of rows of which the second cannot follow the first. Always a defect of the program.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DiffError {
    /// One key twice in one set.
    #[error("{table} has two rows with the key {id}")]
    Duplicate {
        /// The table.
        table: &'static str,
        /// The key.
        id: String,
    },
    /// An append-only row is gone.
    #[error("{table} is only ever added to, but the row {id} is gone")]
    Gone {
        /// The table.
        table: &'static str,
        /// The key.
        id: String,
    },
    /// An append-only row has another body.
    #[error("{table} is only ever added to, but the row {id} has changed")]
    Changed {
        /// The table.
        table: &'static str,
        /// The key.
        id: String,
    },
    /// A table whose rows are changed in place has no place in a fold.
    #[error("{table} is not a projection of the journal")]
    NotAProjection {
        /// The table.
        table: &'static str,
    },
}

/// Compares the rows of a state before and after a command. Rows equal in key and body are left alone.
///
/// The result is ordered by table name and key, so it does not depend on the order of the rows given.
///
/// # Errors
/// If a key comes twice, or an append-only row was lost or changed.
pub fn diff(before: &[Row], after: &[Row]) -> Result<Changes, DiffError> {
    let before = sorted(before)?;
    let after = sorted(after)?;
    let mut changes = Changes::default();
    let (mut old, mut new) = (before.iter().peekable(), after.iter().peekable());
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return Ok(changes),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(was), Some(is)) => order(was, is),
        };
        let was = if order.is_le() { old.next() } else { None };
        let is = if order.is_ge() { new.next() } else { None };
        note(&mut changes, was, is)?;
    }
}

/// Notes what became of one row.
fn note(changes: &mut Changes, was: Option<&&Row>, is: Option<&&Row>) -> Result<(), DiffError> {
    if let (Some(was), Some(is)) = (was, is)
        && was.body == is.body
    {
        return Ok(());
    }
    let Some(row) = was.or(is) else { return Ok(()) };
    match row.table.kind {
        Kind::Versioned => {
            changes.closed.extend(was.map(|row| (row.table, row.key.clone())));
            changes.opened.extend(is.map(|row| (*row).clone()));
            Ok(())
        }
        Kind::Append => match (was, is) {
            (None, Some(new)) => {
                changes.appended.push((*new).clone());
                Ok(())
            }
            (Some(_), Some(_)) => Err(DiffError::Changed { table: row.table.name, id: id_of(&row.key) }),
            (_, None) => Err(DiffError::Gone { table: row.table.name, id: id_of(&row.key) }),
        },
        Kind::Live => Err(DiffError::NotAProjection { table: row.table.name }),
    }
}

fn order(a: &Row, b: &Row) -> Ordering {
    a.table.name.cmp(b.table.name).then_with(|| a.key.cmp(&b.key))
}

fn sorted(rows: &[Row]) -> Result<Vec<&Row>, DiffError> {
    let mut sorted: Vec<&Row> = rows.iter().collect();
    sorted.sort_by(|a, b| order(a, b));
    for pair in sorted.windows(2) {
        if let [a, b] = pair
            && order(a, b).is_eq()
        {
            return Err(DiffError::Duplicate { table: a.table.name, id: a.id() });
        }
    }
    Ok(sorted)
}

#[cfg(test)]
mod tests {
    use super::super::Column;
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    static V: Table =
        Table { name: "v", kind: Kind::Versioned, key: &[Column::text("county"), Column::int("k")], body: &[Column::int("b")] };
    static A: Table =
        Table { name: "a", kind: Kind::Append, key: &[Column::text("county"), Column::int("k")], body: &[Column::int("b")] };
    static L: Table =
        Table { name: "l", kind: Kind::Live, key: &[Column::text("county"), Column::int("k")], body: &[Column::int("b")] };

    fn row(table: &'static Table, k: i64, b: i64) -> Row {
        Row::new(table, vec!["c".into(), k.into()], vec![b.into()])
    }

    #[test]
    fn what_happens_to_one_row() {
        let id = || "c/1".to_owned();
        let changes = |closed: &[Row], opened: &[Row], appended: &[Row]| Changes {
            closed: closed.iter().map(|r| (r.table, r.key.clone())).collect(),
            opened: opened.to_vec(),
            appended: appended.to_vec(),
        };
        let cases = [
            (vec![], vec![], Ok(changes(&[], &[], &[]))),
            (vec![row(&V, 1, 1)], vec![row(&V, 1, 1)], Ok(changes(&[], &[], &[]))),
            (vec![], vec![row(&V, 1, 1)], Ok(changes(&[], &[row(&V, 1, 1)], &[]))),
            (vec![row(&V, 1, 1)], vec![row(&V, 1, 2)], Ok(changes(&[row(&V, 1, 1)], &[row(&V, 1, 2)], &[]))),
            (vec![row(&V, 1, 1)], vec![], Ok(changes(&[row(&V, 1, 1)], &[], &[]))),
            (vec![row(&A, 1, 1)], vec![row(&A, 1, 1), row(&A, 2, 2)], Ok(changes(&[], &[], &[row(&A, 2, 2)]))),
            (vec![row(&A, 1, 1)], vec![], Err(DiffError::Gone { table: "a", id: id() })),
            (vec![row(&A, 1, 1)], vec![row(&A, 1, 2)], Err(DiffError::Changed { table: "a", id: id() })),
            (vec![], vec![row(&V, 1, 1), row(&V, 1, 2)], Err(DiffError::Duplicate { table: "v", id: id() })),
            (vec![], vec![row(&L, 1, 1)], Err(DiffError::NotAProjection { table: "l" })),
        ];
        for (before, after, expected) in cases {
            assert_eq!(diff(&before, &after), expected, "{before:?} -> {after:?}");
        }
    }

    proptest! {
        /// Applying the difference to the rows before gives the rows after, whatever order they come in.
        #[test]
        fn the_difference_leads_from_one_to_the_other(
            before in proptest::collection::btree_map(0_i64..8, 0_i64..3, 0..8),
            after in proptest::collection::btree_map(0_i64..8, 0_i64..3, 0..8),
            reversed: bool,
        ) {
            let rows = |of: &BTreeMap<i64, i64>| of.iter().map(|(k, b)| row(&V, *k, *b)).collect::<Vec<_>>();
            let mut later = rows(&after);
            if reversed {
                later.reverse();
            }
            let changes = diff(&rows(&before), &later).unwrap();
            let mut applied: BTreeMap<_, _> = rows(&before).into_iter().map(|r| (r.key.clone(), r)).collect();
            for (_, key) in &changes.closed {
                prop_assert!(applied.remove(key).is_some());
            }
            for row in changes.opened {
                prop_assert!(applied.insert(row.key.clone(), row).is_none());
            }
            prop_assert_eq!(applied.into_values().collect::<Vec<_>>(), rows(&after));
        }
    }
}
