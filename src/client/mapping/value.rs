//! Values of a mapping bound to the columns of one file.

use std::borrow::Cow;
use std::collections::HashMap;

use chrono::NaiveDate;

use super::MappingError;
use super::format::{Condition, Lookup, Value};
use super::rows::Record;

/// The columns of a file's header.
pub(super) struct Columns(HashMap<String, usize>);

impl Columns {
    pub(super) fn of(header: &csv::StringRecord) -> Self {
        Self(header.iter().enumerate().map(|(n, name)| (name.trim().trim_start_matches('\u{feff}').to_owned(), n)).collect())
    }

    fn find(&self, name: &str, field: &str) -> Result<usize, MappingError> {
        self.0.get(name).copied().ok_or_else(|| {
            let mut known: Vec<&str> = self.0.keys().map(String::as_str).collect();
            known.sort_unstable();
            MappingError::of(field, format!("the file has no column `{name}`; it has {}", known.join(", ")))
        })
    }
}

/// A piece of a text.
#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Column(usize),
    /// Place of the record in its row, from 1.
    Place,
}

/// A text with columns in it.
#[derive(Clone, Debug)]
pub(super) struct Template(Vec<Piece>);

impl Template {
    pub(super) fn bind(text: &str, columns: &Columns, field: &str) -> Result<Self, MappingError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, tail)) = after.split_once('}') else {
                return Err(MappingError::of(field, format!("`{text}` has a `{{` without its `}}`")));
            };
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(if name == "#" { Piece::Place } else { Piece::Column(columns.find(name, field)?) });
            rest = tail;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    pub(super) fn get<'a>(&'a self, record: &'a Record) -> Cow<'a, str> {
        match self.0.as_slice() {
            [] => Cow::Borrowed(""),
            [Piece::Text(text)] => Cow::Borrowed(text),
            [Piece::Column(n)] => Cow::Borrowed(column(record, *n)),
            pieces => {
                let mut all = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Text(text) => all.push_str(text),
                        Piece::Column(n) => all.push_str(column(record, *n)),
                        Piece::Place => all.push_str(&record.place.to_string()),
                    }
                }
                Cow::Owned(all)
            }
        }
    }
}

fn column(record: &Record, n: usize) -> &str {
    record.fields.get(n).unwrap_or_default().trim()
}

/// A value bound to columns, which knows its own field for errors.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    /// Path of the field in the mapping.
    pub(super) field: String,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Text(Template),
    Lookup(Box<BoundLookup>),
}

#[derive(Clone, Debug)]
struct BoundLookup {
    key: Template,
    map: HashMap<String, String>,
    contains: Vec<(String, String)>,
    /// By day, earliest first.
    since: Vec<(NaiveDate, String)>,
    empty: Option<String>,
    default: Option<String>,
}

impl Bound {
    pub(super) fn bind(value: &Value, columns: &Columns, tables: &Tables, field: &str) -> Result<Self, MappingError> {
        let kind = match value {
            Value::Text(text) => Kind::Text(Template::bind(text, columns, field)?),
            Value::Lookup(lookup) => Kind::Lookup(Box::new(BoundLookup::bind(lookup, columns, tables, field)?)),
        };
        Ok(Self { field: field.to_owned(), kind })
    }

    /// The value for a record, without surrounding blanks; or what is wrong.
    pub(super) fn get<'a>(&'a self, record: &'a Record) -> Result<Cow<'a, str>, String> {
        match &self.kind {
            Kind::Text(template) => Ok(template.get(record)),
            Kind::Lookup(lookup) => lookup.get(record),
        }
    }

    /// Every value that this can give without looking at a record: to check words before the first row.
    pub(super) fn constants(&self) -> Vec<&str> {
        match &self.kind {
            Kind::Text(Template(pieces)) => match pieces.as_slice() {
                [Piece::Text(text)] => vec![text],
                _ => Vec::new(),
            },
            Kind::Lookup(lookup) => {
                let since = lookup.since.iter().map(|(_, value)| value);
                let contains = lookup.contains.iter().map(|(_, value)| value);
                let all = lookup.map.values().chain(contains).chain(since).chain(&lookup.empty).chain(&lookup.default);
                all.map(String::as_str).collect()
            }
        }
    }
}

/// Named tables of a mapping.
pub(super) type Tables = std::collections::BTreeMap<String, std::collections::BTreeMap<String, String>>;

impl BoundLookup {
    fn bind(lookup: &Lookup, columns: &Columns, tables: &Tables, field: &str) -> Result<Self, MappingError> {
        let mut map: HashMap<String, String> = lookup.map.clone().into_iter().collect();
        if let Some(name) = &lookup.table {
            let table = tables.get(name).ok_or_else(|| {
                MappingError::of(&format!("{field}.table"), format!("there is no [tables.{name}] in this mapping"))
            })?;
            map.extend(table.clone());
        }
        let mut since = Vec::new();
        for (day, value) in &lookup.since {
            let day = NaiveDate::parse_from_str(day, "%Y-%m-%d")
                .map_err(|_| MappingError::of(&format!("{field}.since"), format!("`{day}` is no day as 2017-04-02 is")))?;
            since.push((day, value.clone()));
        }
        let braced = lookup.column.contains('{');
        let key = if braced { lookup.column.clone() } else { format!("{{{}}}", lookup.column) };
        Ok(Self {
            key: Template::bind(&key, columns, &format!("{field}.column"))?,
            map,
            contains: lookup.contains.iter().map(|rule| (rule.text.clone(), rule.value.clone())).collect(),
            since,
            empty: lookup.empty.clone(),
            default: lookup.default.clone(),
        })
    }

    fn get<'a>(&'a self, record: &'a Record) -> Result<Cow<'a, str>, String> {
        let key = self.key.get(record);
        self.find(&key).map(Cow::Borrowed).ok_or_else(|| {
            if key.is_empty() { "the column is empty".to_owned() } else { format!("the mapping does not say what `{key}` means") }
        })
    }

    fn find(&self, key: &str) -> Option<&str> {
        let empty = if key.is_empty() { self.empty.as_ref() } else { None };
        let contained = || self.contains.iter().find(|(text, _)| key.contains(text.as_str())).map(|(_, value)| value);
        let found = empty.or_else(|| self.map.get(key)).or_else(contained).or_else(|| self.at(key)).or(self.default.as_ref());
        found.map(String::as_str)
    }

    /// The value of the latest day not after the one that the text begins with.
    fn at(&self, key: &str) -> Option<&String> {
        if self.since.is_empty() {
            return None;
        }
        let day = key.get(..10).and_then(|day| NaiveDate::parse_from_str(day, "%Y-%m-%d").ok())?;
        self.since.iter().rev().find(|(from, _)| *from <= day).map(|(_, value)| value)
    }
}

/// A condition bound to a column.
#[derive(Clone, Debug)]
pub(super) struct BoundCondition {
    column: usize,
    pub(super) name: String,
    test: Test,
    not: bool,
}

#[derive(Clone, Debug)]
enum Test {
    Equals(String),
    Contains(String),
    Empty,
}

impl BoundCondition {
    pub(super) fn bind(condition: &Condition, columns: &Columns, field: &str) -> Result<Self, MappingError> {
        let test = match (&condition.equals, &condition.contains, condition.empty) {
            (Some(text), None, false) => Test::Equals(text.clone()),
            (None, Some(text), false) => Test::Contains(text.clone()),
            (None, None, true) => Test::Empty,
            _ => return Err(MappingError::of(field, "needs exactly one of `equals`, `contains` and `empty = true`")),
        };
        let column = columns.find(&condition.column, &format!("{field}.column"))?;
        Ok(Self { column, name: condition.column.clone(), test, not: condition.not })
    }

    pub(super) fn holds(&self, record: &Record) -> bool {
        let content = column(record, self.column);
        let holds = match &self.test {
            Test::Equals(text) => content == text,
            Test::Contains(text) => content.contains(text.as_str()),
            Test::Empty => content.is_empty(),
        };
        holds != self.not
    }
}

/// Whether a condition that may be missing holds.
pub(super) fn holds(condition: Option<&BoundCondition>, record: &Record) -> bool {
    condition.is_none_or(|condition| condition.holds(record))
}
