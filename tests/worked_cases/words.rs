//! Words, times and options of a line.

use chrono::NaiveDateTime;
use detainer::domain::time::{Instant, Zone};
use std::collections::BTreeMap;

/// The words of a line, taken from the left.
pub struct Words<'a> {
    rest: &'a str,
    zone: Zone,
}

impl<'a> Words<'a> {
    pub fn new(line: &'a str, zone: Zone) -> Self {
        Self { rest: line.trim(), zone }
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// What is left.
    pub fn rest(&self) -> &'a str {
        self.rest
    }

    /// The next word, without looking further.
    pub fn peek(&self) -> &'a str {
        self.rest.split_whitespace().next().unwrap_or("")
    }

    /// Takes the next word.
    pub fn word(&mut self) -> Result<&'a str, String> {
        let word = self.peek();
        if word.is_empty() {
            return Err("the line ends too early".into());
        }
        self.rest = self.rest[word.len()..].trim_start();
        Ok(word)
    }

    /// Takes this word if it comes next.
    pub fn take(&mut self, word: &str) -> bool {
        let found = self.peek() == word;
        if found {
            self.rest = self.rest[word.len()..].trim_start();
        }
        found
    }

    /// Takes a word that must come next.
    pub fn must(&mut self, word: &str) -> Result<(), String> {
        if self.take(word) { Ok(()) } else { Err(format!("expected {word:?}, found {:?}", self.rest)) }
    }

    /// Takes a local time such as `Fri 2024-03-15 17:00`; the weekday is checked.
    pub fn time(&mut self) -> Result<Instant, String> {
        let (weekday, date, time) = (self.word()?, self.word()?, self.word()?.trim_end_matches([',', ':']));
        let text = if time.matches(':').count() == 1 { format!("{date} {time}:00") } else { format!("{date} {time}") };
        let local = NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f").map_err(|e| format!("{text}: {e}"))?;
        if local.format("%a").to_string() != weekday {
            return Err(format!("{date} is a {}, not a {weekday}", local.format("%a")));
        }
        Ok(self.zone.at_local(local))
    }

    /// Takes everything that is left as flags and `name=value` options.
    pub fn options(&mut self) -> Options<'a> {
        let mut options = Options::default();
        for word in self.rest.split_whitespace() {
            match word.split_once('=') {
                Some((name, value)) => drop(options.values.insert(name, value)),
                None => options.flags.push(word),
            }
        }
        self.rest = "";
        options
    }
}

/// Options of a line. Those nobody asked for are an error.
#[derive(Default)]
pub struct Options<'a> {
    values: BTreeMap<&'a str, &'a str>,
    flags: Vec<&'a str>,
}

impl<'a> Options<'a> {
    /// Takes an option's value.
    pub fn value(&mut self, name: &str) -> Option<&'a str> {
        self.values.remove(name)
    }

    /// Takes a flag.
    pub fn flag(&mut self, name: &str) -> bool {
        let before = self.flags.len();
        self.flags.retain(|flag| *flag != name);
        self.flags.len() < before
    }

    /// All were understood.
    pub fn done(&self) -> Result<(), String> {
        if self.values.is_empty() && self.flags.is_empty() {
            return Ok(());
        }
        Err(format!("not understood: {:?} {:?}", self.values, self.flags))
    }
}

/// The name of an enum's value as the API shouts it: `RuleSatisfied` is `RULE_SATISFIED`.
pub fn shout(value: impl std::fmt::Debug) -> String {
    let mut out = String::new();
    for (n, c) in format!("{value:?}").chars().enumerate() {
        if c.is_uppercase() && n > 0 {
            out.push('_');
        }
        out.extend(c.to_uppercase());
    }
    out
}

/// A local time as cases write it, to the millisecond: records of one command are microseconds apart.
pub fn told(at: Instant, zone: Zone) -> String {
    if at.is_far() {
        return "open".into();
    }
    at.utc().with_timezone(&zone.0).format("%a %Y-%m-%d %H:%M:%S%.3f %Z").to_string()
}
