//! Reading TOML with places: every value knows its line and its path, so that every mistake can name them.

use super::Mistake;
use crate::domain::time::{Date, Instant, Zone};
use chrono::{FixedOffset, NaiveDate, NaiveTime, TimeZone as _};
use std::ops::RangeInclusive;
use std::sync::Arc;
use toml::de::{DeTable, DeValue};

/// Parts of a key that the parser still reads.
const PARTS: usize = 80;

/// A value with its path in the file and where it begins, in bytes.
#[derive(Clone)]
pub(super) struct Node<'a> {
    pub path: String,
    pub at: usize,
    /// Where its key stands, if it has one.
    pub key_at: usize,
    value: &'a DeValue<'a>,
}

/// A table with its path and where it begins.
#[derive(Clone)]
pub(super) struct Table<'a> {
    pub path: String,
    pub at: usize,
    inner: &'a DeTable<'a>,
}

impl<'a> Table<'a> {
    /// The whole file.
    pub fn root(inner: &'a DeTable<'a>) -> Self {
        Self { path: String::new(), at: 0, inner }
    }

    /// Path of a key of it.
    pub fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// A key of it, if it is there.
    pub fn get(&self, key: &str) -> Option<Node<'a>> {
        self.keys().find_map(|(name, node)| (name == key).then_some(node))
    }

    /// Every key of it.
    pub fn keys(&self) -> impl Iterator<Item = (&'a str, Node<'a>)> + use<'a> {
        let table = self.clone();
        table.inner.iter().map(move |(key, value)| {
            let name = key.get_ref().as_ref();
            let at = if value.get_ref().is_table() { key.span().start } else { value.span().start };
            (name, Node { path: table.path_of(name), at, key_at: key.span().start, value: value.get_ref() })
        })
    }
}

impl<'a> Node<'a> {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&'a str> {
        self.value.as_str()
    }

    /// Whether it is a list.
    pub fn is_list(&self) -> bool {
        self.value.is_array()
    }

    /// The truth value, if it is one.
    pub fn as_flag(&self) -> Option<bool> {
        self.value.as_bool()
    }

    /// The table, if it is one; its keys are not looked at yet.
    pub fn as_table(&self) -> Option<Table<'a>> {
        self.value.as_table().map(|inner| Table { path: self.path.clone(), at: self.at, inner })
    }
}

/// Reads values and gathers what is wrong with them.
pub(super) struct Reader<'t> {
    text: &'t str,
    pub mistakes: Vec<Mistake>,
}

impl<'t> Reader<'t> {
    pub fn new(text: &'t str) -> Self {
        Self { text, mistakes: Vec::new() }
    }

    /// The line of a place, from 1.
    pub fn line(&self, at: usize) -> usize {
        1 + self.text.get(..at).unwrap_or(self.text).matches('\n').count()
    }

    /// Notes a mistake.
    pub fn bad(&mut self, at: usize, node: &str, why: impl Into<String>) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let column = 1 + before.rsplit('\n').next().unwrap_or_default().chars().count();
        self.mistakes.push(Mistake { line: self.line(at), column, node: node.to_owned(), why: why.into() });
    }

    fn wrong<T>(&mut self, node: &Node<'_>, wanted: &str) -> Option<T> {
        self.bad(node.at, &node.path, format!("must be {wanted}, not {}", node.value.type_str()));
        None
    }

    /// A table that may have these keys and no others.
    pub fn table<'a>(&mut self, node: &Node<'a>, keys: &[&str]) -> Option<Table<'a>> {
        let Some(table) = node.as_table() else { return self.wrong(node, "a table") };
        self.known(&table, keys);
        Some(table)
    }

    /// Refuses keys that are not among these.
    pub fn known(&mut self, table: &Table<'_>, keys: &[&str]) {
        for (key, _) in table.inner.iter() {
            let name = key.get_ref().as_ref();
            if !keys.contains(&name) {
                self.bad(key.span().start, &table.path_of(name), format!("is not known here{}", nearest(name, keys)));
            }
        }
    }

    /// A key that must be there.
    pub fn required<'a>(&mut self, table: &Table<'a>, key: &str) -> Option<Node<'a>> {
        let found = table.get(key);
        if found.is_none() {
            self.bad(table.at, &table.path_of(key), "is required");
        }
        found
    }

    /// The entries of a list.
    pub fn list<'a>(&mut self, node: &Node<'a>, most: usize) -> Option<Vec<Node<'a>>> {
        let Some(list) = node.value.as_array() else { return self.wrong(node, "a list") };
        if list.len() > most {
            self.bad(node.at, &node.path, format!("may have at most {most} entries"));
            return None;
        }
        let entry = |(n, value): (usize, &'a toml::Spanned<DeValue<'a>>)| Node {
            path: format!("{}[{n}]", node.path),
            at: value.span().start,
            key_at: value.span().start,
            value: value.get_ref(),
        };
        Some(list.iter().enumerate().map(entry).collect())
    }

    /// A text that is not empty.
    pub fn text(&mut self, node: &Node<'_>, most: usize) -> Option<Arc<str>> {
        let Some(text) = node.as_text() else { return self.wrong(node, "a text in quotes") };
        let text = text.trim();
        if text.is_empty() || text.chars().count() > most {
            self.bad(node.at, &node.path, format!("must have 1 to {most} characters"));
            return None;
        }
        Some(text.into())
    }

    /// A list of texts; each is looked at by the rule's own checks.
    pub fn texts(&mut self, node: &Node<'_>, most: usize) -> Option<Vec<Arc<str>>> {
        let entries = self.list(node, most)?;
        let read: Vec<_> = entries.iter().map(|entry| self.text(entry, 1_000)).collect();
        read.into_iter().collect()
    }

    /// True or false.
    pub fn flag(&mut self, node: &Node<'_>) -> Option<bool> {
        match node.value.as_bool() {
            Some(flag) => Some(flag),
            None => self.wrong(node, "true or false"),
        }
    }

    /// A whole number within bounds.
    pub fn number(&mut self, node: &Node<'_>, range: RangeInclusive<u32>) -> Option<u32> {
        let Some(number) = node.value.as_integer() else { return self.wrong(node, "a whole number") };
        let read = u32::from_str_radix(number.as_str(), number.radix()).ok().filter(|n| range.contains(n));
        if read.is_none() {
            self.bad(node.at, &node.path, format!("must be {} to {}", range.start(), range.end()));
        }
        read
    }

    /// A day, such as `2014-01-01`.
    pub fn day(&mut self, node: &Node<'_>) -> Option<Date> {
        let told = node.value.as_datetime().filter(|told| told.time.is_none()).and_then(|told| told.date);
        match told.and_then(date) {
            Some(day) => Some(day),
            None => self.wrong(node, "a day such as 2014-01-01, without quotes"),
        }
    }

    /// An instant: a day stands for its first instant in the zone, a time without an offset is local there.
    pub fn moment(&mut self, node: &Node<'_>, zone: Zone) -> Option<Instant> {
        let told = node.value.as_datetime();
        let read = told.and_then(|told| {
            let day = date(told.date?)?;
            let Some(time) = told.time else { return told.offset.is_none().then(|| zone.start_of(day)) };
            let time = NaiveTime::from_hms_opt(time.hour.into(), time.minute.into(), time.second.into())?;
            let minutes = match told.offset {
                None => return Some(zone.at_local(day.and_time(time))),
                Some(toml::value::Offset::Z) => 0,
                Some(toml::value::Offset::Custom { minutes }) => i32::from(minutes),
            };
            let offset = FixedOffset::east_opt(minutes.checked_mul(60)?)?;
            Some(Instant::from_utc(offset.from_local_datetime(&day.and_time(time)).single()?.to_utc()))
        });
        match read {
            Some(at) => Some(at),
            None => self.wrong(node, "a day or a time such as 2014-01-01T17:00:00, without quotes"),
        }
    }

    /// One of a few words.
    pub fn word<T: Copy>(&mut self, node: &Node<'_>, words: &[(&'static str, T)]) -> Option<T> {
        let Some(told) = node.as_text() else { return self.wrong(node, "a word in quotes") };
        let found = words.iter().find(|(word, _)| *word == told).map(|(_, value)| *value);
        if found.is_none() {
            let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let hint = nearest(told, &all);
            self.bad(node.at, &node.path, format!("`{told}` is none of {}{hint}", all.join(", ")));
        }
        found
    }

    /// A list of such words.
    pub fn words<T: Copy>(&mut self, node: &Node<'_>, words: &[(&'static str, T)]) -> Option<Vec<T>> {
        let entries = self.list(node, 50)?;
        let read: Vec<_> = entries.iter().map(|entry| self.word(entry, words)).collect();
        read.into_iter().collect()
    }
}

/// Whether the parser gave up because of depth: of brackets within brackets, or of a key with very many parts.
pub(super) fn is_too_deep(message: &str) -> bool {
    message.starts_with("cannot recurse further") || message == "recursion limit"
}

/// What stands too deep where the parser gave up: the first condition below `most` others, or else the deepest value that
/// could be read. Where it begins, and its path.
pub(super) fn too_deep(text: &str, root: &DeTable<'_>, gave_up: Option<usize>, most: usize) -> (usize, String) {
    let Some(gave_up) = gave_up else { return long_key(text, most) };
    let top = root.iter().map(|(key, value)| (key.get_ref().to_string(), 0, key.span().start, value));
    let mut todo: Vec<_> = top.collect();
    let mut deepest = (0, gave_up, String::new());
    while let Some((path, above, at, value)) = todo.pop() {
        let (list, table) = (value.get_ref().as_array(), value.get_ref().as_table());
        if value.span().contains(&gave_up) {
            if above >= most && list.is_none() {
                return (at, path);
            }
            let steps = path.matches(['.', '[']).count() + 1;
            if steps > deepest.0 {
                deepest = (steps, at, path.clone());
            }
        }
        let entries = list.into_iter().flat_map(|list| list.iter().enumerate());
        todo.extend(entries.map(|(n, entry)| (format!("{path}[{n}]"), above, entry.span().start, entry)));
        let keys = table.into_iter().flat_map(|table| table.iter());
        todo.extend(keys.map(|(key, value)| {
            let name = key.get_ref().as_ref();
            let nests = matches!(name, "all" | "any" | "not");
            (format!("{path}.{name}"), above + usize::from(nests), key.span().start, value)
        }));
    }
    (deepest.1, deepest.2)
}

/// The first key of so many parts that the parser gave up, without saying where; as many of its parts as may stand.
fn long_key(text: &str, most: usize) -> (usize, String) {
    let in_key = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    let mut at = 0;
    for stretch in text.split_inclusive(|letter| !in_key(letter)) {
        let parts: Vec<&str> = stretch.trim_end_matches(|letter| !in_key(letter)).split('.').collect();
        if parts.len() > PARTS && parts.iter().all(|part| !part.is_empty()) {
            return (at, parts.into_iter().take(most).collect::<Vec<_>>().join("."));
        }
        at += stretch.len();
    }
    (0, String::new())
}

fn date(told: toml::value::Date) -> Option<Date> {
    NaiveDate::from_ymd_opt(told.year.into(), told.month.into(), told.day.into())
}

/// A hint at the word that was probably meant; empty where none is near.
pub(super) fn nearest(told: &str, words: &[&str]) -> String {
    let best = words.iter().map(|word| (distance(told, word), *word)).min();
    match best {
        Some((steps, word)) if steps <= 2.max(word.chars().count() / 3) => format!("; did you mean `{word}`?"),
        _ => String::new(),
    }
}

/// How many letters have to be put in, taken out or changed to make one word the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(200).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (n, letter) in one.chars().take(200).enumerate() {
        let mut next = vec![n + 1];
        for (m, beside) in other.iter().enumerate() {
            let at = |row: &[usize], m: usize| row.get(m).copied().unwrap_or(usize::MAX - 1);
            let changed = at(&row, m) + usize::from(letter != *beside);
            next.push(changed.min(at(&row, m + 1) + 1).min(at(&next, m) + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}
