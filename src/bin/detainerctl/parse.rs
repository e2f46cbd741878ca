//! Words, days, amounts and papers as they stand on a command line.

use std::marker::PhantomData;

use chrono::NaiveDate;
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser, ValueParserFactory};
use detainer::pb;
use detainer::sheet::{time, words, words::Word};

use crate::context::Failure;

/// A value of one of the contract's enums, by its word.
#[derive(Clone, Copy, Debug)]
pub struct In<W>(pub W);

/// Reads [`In`].
pub struct Words<W>(PhantomData<W>);

impl<W> Clone for Words<W> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<W: Word> ValueParserFactory for In<W> {
    type Parser = Words<W>;
    fn value_parser() -> Words<W> {
        Words(PhantomData)
    }
}

impl<W: Word> TypedValueParser for Words<W> {
    type Value = In<W>;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<In<W>, clap::Error> {
        let word = StringValueParser::new().parse_ref(command, argument, value)?;
        words::parse(&word).map(In).ok_or_else(|| {
            let message = format!("`{word}` is none of {}\n", words::all::<W>().join(", "));
            clap::Error::raw(clap::error::ErrorKind::InvalidValue, message).with_cmd(command)
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(words::all::<W>().into_iter().map(PossibleValue::new)))
    }
}

/// The number of a value on the wire.
impl<W: Word> From<In<W>> for i32 {
    fn from(value: In<W>) -> Self {
        value.0.into()
    }
}

/// Reads a day.
pub fn day(text: &str) -> Result<NaiveDate, String> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| format!("`{text}` is no day, as 2024-03-15 is"))
}

/// Reads an amount such as `126`, `126.00` or `$126.00`, in hundredths.
pub fn cents(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is no amount, as 126.00 is");
    let plain: String = text.trim().trim_start_matches('$').chars().filter(|c| *c != ',').collect();
    let (whole, part) = plain.split_once('.').unwrap_or((plain.as_str(), "00"));
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 2 {
        return Err(wrong());
    }
    let whole: i64 = whole.parse().map_err(|_| wrong())?;
    let part: i64 = format!("{part:0<2}").parse().map_err(|_| wrong())?;
    whole.checked_mul(100).and_then(|cents| cents.checked_add(part)).ok_or_else(wrong)
}

/// Reads an amount that may be below zero: `-113.00`.
pub fn signed_cents(text: &str) -> Result<i64, String> {
    match text.trim().strip_prefix('-') {
        Some(rest) => cents(rest).map(|amount| -amount).map_err(|_| format!("`{text}` is no amount, as -126.00 is")),
        None => cents(text),
    }
}

/// An amount on the wire.
pub fn money(currency: &str, cents: i64) -> pb::Money {
    pb::Money { currency_code: currency.to_owned(), cents }
}

/// The paper that adopts something.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "The paper that adopts it")]
pub struct Paper {
    /// Its title.
    #[arg(long, value_name = "TITLE")]
    pub title: String,
    /// How it is cited, for example R-1008-13.
    #[arg(long, value_name = "CITATION")]
    pub citation: Option<String>,
    /// The date it carries.
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub dated: NaiveDate,
    /// Its text as filed, of which the digest is recorded.
    #[arg(long, value_name = "FILE")]
    pub paper: Option<std::path::PathBuf>,
}

impl Paper {
    /// As the wire carries it.
    pub fn instrument(&self) -> Result<pb::Instrument, Failure> {
        use sha2::{Digest as _, Sha256};
        let sha256 = match &self.paper {
            None => Vec::new(),
            Some(file) => {
                let text = std::fs::read(file).map_err(|error| Failure::Other(format!("{}: {error}", file.display())))?;
                Sha256::digest(text).to_vec()
            }
        };
        Ok(pb::Instrument {
            title: self.title.clone(),
            citation: self.citation.clone().unwrap_or_default(),
            date: Some(time::date(self.dated)),
            sha256,
        })
    }
}

/// Where a statement comes from.
#[derive(Clone, Debug, clap::Args)]
pub struct Told {
    /// Where it is known from.
    #[arg(long, default_value = "jail-record", value_name = "KIND")]
    pub source: In<pb::SourceKind>,
    /// Where to find that again: a log line, a docket number. Never a person's name.
    #[arg(long, value_name = "REFERENCE")]
    pub reference: Option<String>,
}

impl Told {
    /// As the wire carries it.
    pub fn source(&self) -> pb::Source {
        pb::Source { kind: self.source.into(), reference: self.reference.clone().unwrap_or_default() }
    }
}

/// Options of every write.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Options of every write")]
pub struct Writing {
    /// Decide, answer what would come back, and record nothing.
    #[arg(long, visible_alias = "try")]
    pub validate_only: bool,
    /// Id of this request: the same one again records nothing twice. Made up where it is left out.
    #[arg(long, value_name = "ID")]
    pub request_id: Option<String>,
}

impl Writing {
    /// The request's id.
    pub fn id(&self) -> String {
        self.request_id.clone().unwrap_or_else(detainer::client::ids::request_id)
    }
}

/// How much was known, and the instant asked about.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Questions about the past")]
pub struct When {
    /// What was known: a sequence number, or a time.
    #[arg(long, value_name = "NUMBER|TIME")]
    pub as_of: Option<String>,
    /// The moment asked about. Left out: now, or the moment of --as-of.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
}

impl When {
    /// The point of knowledge.
    pub fn as_of(&self, zone: chrono_tz::Tz, now: chrono::DateTime<chrono::Utc>) -> Result<Option<pb::AsOf>, Failure> {
        as_of(self.as_of.as_deref(), zone, now)
    }

    /// The instant.
    pub fn at(&self, zone: chrono_tz::Tz, now: chrono::DateTime<chrono::Utc>) -> Result<Option<prost_types::Timestamp>, Failure> {
        Ok(self.at.as_deref().map(|text| time::read(text, zone, now).map(time::stamp)).transpose()?)
    }

    /// Whether a zone is needed to read what is given.
    pub fn is_local(&self) -> bool {
        [&self.as_of, &self.at].into_iter().flatten().any(|text| time::is_local(text) && text.parse::<i64>().is_err())
    }
}

/// A point of knowledge: a sequence number or a time.
pub fn as_of(text: Option<&str>, zone: chrono_tz::Tz, now: chrono::DateTime<chrono::Utc>) -> Result<Option<pb::AsOf>, Failure> {
    use pb::as_of::Point;
    let Some(text) = text else { return Ok(None) };
    let point = match text.parse::<i64>() {
        Ok(sequence) => Point::Sequence(sequence),
        Err(_) => Point::RecordedTime(time::stamp(time::read(text, zone, now)?)),
    };
    Ok(Some(pb::AsOf { point: Some(point) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_as_people_type_them() {
        for (text, amount) in [("126", 12_600), ("$1,126.5", 112_650), ("0.05", 5), (" 7.00 ", 700)] {
            assert_eq!(cents(text), Ok(amount), "{text}");
        }
        for wrong in ["", "-1", "1.005", "1.2.3", "x", "99999999999999999999", ".5"] {
            assert!(cents(wrong).is_err(), "{wrong}");
        }
        for (text, amount) in [("-113.00", -11_300), ("-$1,126.5", -112_650), ("0.05", 5), ("-0", 0)] {
            assert_eq!(signed_cents(text), Ok(amount), "{text}");
        }
        for wrong in ["--1", "-", "1-", "-1.005"] {
            assert!(signed_cents(wrong).is_err(), "{wrong}");
        }
    }
}
