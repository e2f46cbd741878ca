//! The mapping file as it is written. `docs/mapping.md` says the same for people.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::MappingError;
use super::locate::line_of;
use crate::sheet::time::RepeatedHour;

/// The version of the format that this program reads.
pub const FORMAT: u32 = 1;

/// A mapping file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Version of the format: 1.
    pub format: u32,
    /// What it is for, in a line.
    pub title: String,
    /// Name of the source, the same at each run; it is part of every request id.
    pub source_name: String,
    /// Rows are history: a row's own time stands for the recorded time where a decision gives authority from.
    #[serde(default = "yes")]
    pub history: bool,
    /// What is taken as given that the file does not say, one sentence each.
    #[serde(default)]
    pub assumptions: Vec<String>,
    /// The file itself.
    pub file: FileRules,
    /// How times are read.
    pub time: TimeRules,
    /// Named tables for `Lookup::table`.
    #[serde(default)]
    pub tables: BTreeMap<String, BTreeMap<String, String>>,
    /// Rows that are not to be imported.
    #[serde(default)]
    pub reject: Vec<RejectRule>,
    /// Where bookings are.
    pub facility: FacilityRules,
    /// The booking of a row.
    pub booking: BookingRules,
    /// Custody bases, made from each record of a row that meets `when`.
    #[serde(default)]
    pub basis: Vec<BasisRules>,
    /// Detainers, likewise.
    #[serde(default)]
    pub detainer: Vec<DetainerRules>,
    /// The booking's end. None: bookings stay open.
    pub release: Option<ReleaseRules>,
}

/// The file itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRules {
    /// What stands between two columns.
    #[serde(default = "comma")]
    pub delimiter: char,
    /// The row's own id in the source.
    pub row_id: Value,
    /// Adjacent records that agree in this are one row. None: each record is a row.
    pub group_by: Option<Value>,
}

/// How times are read.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeRules {
    /// IANA name of the zone.
    pub zone: Value,
    /// Formats tried in turn, as strftime writes them. One without an hour is a day, read as its first instant.
    pub formats: Vec<String>,
    /// Which is meant where a local time comes twice.
    #[serde(default)]
    pub repeated_hour: RepeatedHour,
}

/// Rows that are not to be imported, and why.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RejectRule {
    /// Which.
    pub when: Condition,
    /// Why, in words.
    pub reason: String,
}

/// A test of one column.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The column.
    pub column: String,
    /// It is exactly this.
    pub equals: Option<String>,
    /// It has this in it.
    pub contains: Option<String>,
    /// It is empty.
    #[serde(default)]
    pub empty: bool,
    /// The test must fail instead.
    #[serde(default)]
    pub not: bool,
}

/// Where bookings are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FacilityRules {
    /// What its id is made of: put together in lower case with `-` for everything but letters and digits; at most 64
    /// characters, longer ones cut and ended with a digest.
    pub id: Value,
    /// Its name for people.
    pub name: Value,
    /// Its city.
    pub city: Option<Value>,
    /// Its zone, where that is not the zone times are read in.
    pub zone: Option<Value>,
    /// Make those that the county has not.
    #[serde(default = "yes")]
    pub create: bool,
}

/// What is known about the bases of a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bases {
    /// The file does not say: no T0, no hold, no over-detention.
    NotKnown,
    /// Those that `[[basis]]` makes, and no others; none means T0 at the booked time.
    Known,
}

/// The booking of a row.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookingRules {
    /// Its id.
    pub id: Value,
    /// When the person was booked.
    pub booked: Moment,
    /// What is known about its bases.
    pub bases: Bases,
    /// Age in whole years. Empty: not known.
    pub age_years: Option<Value>,
    /// Put into the source, beside the row.
    #[serde(default)]
    pub note: String,
}

/// A custody basis.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasisRules {
    /// Which records make one. None: each.
    pub when: Option<Condition>,
    /// Its id within the booking.
    pub id: Value,
    /// Its kind, in the contract's words.
    pub kind: Value,
    /// When it opened.
    pub open: Moment,
    /// When it closed. None or empty: it stays open.
    pub close: Option<Moment>,
    /// Why it closed, in the contract's words.
    pub close_reason: Option<Value>,
    /// Why, in the file's words: sealed. Sent only with the reason `other`.
    pub close_text: Option<Value>,
    /// The charge's code or the docket.
    pub reference: Option<Value>,
    /// Put into the source, beside the row.
    #[serde(default)]
    pub note: String,
}

/// A detainer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetainerRules {
    /// Which records make one. None: each.
    pub when: Option<Condition>,
    /// Its id within the booking.
    pub id: Value,
    /// When the county received it.
    pub received: Moment,
    /// Edition of the form, in the contract's words.
    pub edition: Value,
    /// Whether the form asks to hold: `true` or `false`.
    pub hold_requested: Value,
    /// Whether it asks to be notified.
    pub notify_requested: Value,
    /// Box 2 of the I-247A.
    pub dhs_lent_return: Option<Value>,
    /// Whether it is signed: `yes`, `no` or `unknown`. None: unknown.
    pub signed: Option<Value>,
    /// The date the form carries. None: the local day of receipt.
    pub form_date: Option<Value>,
    /// Event number.
    pub event_number: Option<Value>,
    /// The issuing officer.
    pub officer: Option<Value>,
    /// The issuing office.
    pub office: OfficeRules,
    /// Service on the subject.
    pub service: Option<ServiceRules>,
    /// Withdrawal.
    pub lift: Option<LiftRules>,
    /// Put into the source, beside the row.
    #[serde(default)]
    pub note: String,
}

/// The issuing office.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfficeRules {
    /// The county's short code for it; made into an id as a facility's is.
    pub code: Value,
    /// Its name.
    pub name: Value,
    /// Its component, in the contract's words.
    pub component: Value,
}

/// Service of a detainer on the subject.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceRules {
    /// When. Empty: it was not served.
    pub served: Moment,
    /// How, in the contract's words.
    pub method: Value,
    /// In which language.
    pub language: Option<Value>,
    /// By whom.
    pub served_by: Option<Value>,
    /// Put into the source, beside the row.
    #[serde(default)]
    pub note: String,
}

/// Withdrawal of a detainer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiftRules {
    /// Which records carry one. None: each.
    pub when: Option<Condition>,
    /// When. Empty: none is recorded.
    pub at: Moment,
    /// Why, in the contract's words.
    pub reason: Value,
    /// Record none at or after the booking's end: that has ended the detainer already.
    #[serde(default)]
    pub only_before_release: bool,
    /// Put into the source, beside the row.
    #[serde(default)]
    pub note: String,
}

/// The booking's end.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseRules {
    /// From which record of the row it is read. None, or no such record: the first.
    pub when: Option<Condition>,
    /// When. Empty: the person is in custody.
    pub at: Moment,
    /// How, in the contract's words.
    pub kind: Value,
    /// Who took the person.
    pub receiving_agency: Option<Value>,
    /// Put into the source, beside the row.
    #[serde(default)]
    pub note: String,
}

/// A value: a text with `{column}` in it, or a lookup.
#[derive(Clone, Debug)]
pub enum Value {
    /// A text; each `{column}` stands for what the column holds.
    Text(String),
    /// A lookup.
    Lookup(Lookup),
}

/// A value looked up by what a column holds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// What is looked up: a text with `{column}` in it, or a column's name alone.
    pub column: String,
    /// What each content means.
    #[serde(default)]
    pub map: BTreeMap<String, String>,
    /// Name of a table that says so.
    pub table: Option<String>,
    /// The first of these that is contained decides, after `map` and `table`.
    #[serde(default)]
    pub contains: Vec<Containing>,
    /// What holds from a day on: the column is a time, and the latest day not after it decides.
    #[serde(default)]
    pub since: BTreeMap<String, String>,
    /// What an empty column means. None: as any other content.
    pub empty: Option<String>,
    /// What everything else means. None: everything else is an error.
    pub default: Option<String>,
}

/// A rule of a lookup.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Containing {
    /// What must be contained.
    pub text: String,
    /// What that means.
    pub value: String,
}

/// A moment: a text with `{column}` in it, or the same with limits.
#[derive(Clone, Debug)]
pub struct Moment {
    /// The text that is read as a time.
    pub value: Value,
    /// If that is later than this, this counts.
    pub not_after: Option<Value>,
}

/// A moment as a table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MomentTable {
    value: Value,
    not_after: Option<Value>,
}

fn yes() -> bool {
    true
}

fn comma() -> char {
    ','
}

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// [`MappingError`] with line and field.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        let mapping: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(0, |span| 1 + text.get(..span.start).unwrap_or_default().matches('\n').count());
            MappingError { line, field: String::new(), problem: error.message().to_owned() }
        })?;
        mapping.check().map_err(|error| error.located(text))?;
        Ok(mapping)
    }

    fn check(&self) -> Result<(), MappingError> {
        if self.format != FORMAT {
            return Err(MappingError::of("format", format!("this program reads format {FORMAT}, not {}", self.format)));
        }
        if self.source_name.is_empty() || self.source_name.len() > 64 || !self.source_name.chars().all(id_character) {
            let problem = "must be 1 to 64 letters, digits, `-`, `_`, `.` or `~`";
            return Err(MappingError::of("source_name", problem));
        }
        if self.time.formats.is_empty() {
            return Err(MappingError::of("time.formats", "names no format, as \"%Y-%m-%d %H:%M:%S\" is one"));
        }
        if self.booking.bases == Bases::NotKnown && !self.basis.is_empty() {
            return Err(MappingError::of("booking.bases", "says not-known, but [[basis]] makes some"));
        }
        let ascii = self.file.delimiter.is_ascii();
        if ascii { Ok(()) } else { Err(MappingError::of("file.delimiter", "must be one ASCII character")) }
    }
}

impl MappingError {
    /// An error of a field whose line is not looked up yet.
    pub(super) fn of(field: &str, problem: impl Into<String>) -> Self {
        Self { line: 0, field: field.to_owned(), problem: problem.into() }
    }

    /// The same with the line where the field stands.
    #[must_use]
    pub fn located(self, text: &str) -> Self {
        let line = if self.line == 0 { line_of(text, &self.field) } else { self.line };
        Self { line, ..self }
    }
}

/// A character that ids may have.
pub(super) fn id_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.' | '~')
}

struct TextOr<T>(std::marker::PhantomData<T>);

/// What a table of type `T` or a bare text makes.
trait FromText: Sized {
    type Table: for<'de> Deserialize<'de>;
    const EXPECTED: &'static str;
    fn text(text: String) -> Self;
    fn table(table: Self::Table) -> Self;
}

impl<'de, T: FromText> Visitor<'de> for TextOr<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        Ok(T::text(text.to_owned()))
    }

    fn visit_bool<E: serde::de::Error>(self, truth: bool) -> Result<T, E> {
        Ok(T::text(truth.to_string()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::Table::deserialize(MapAccessDeserializer::new(map)).map(T::table)
    }
}

impl FromText for Value {
    type Table = Lookup;
    const EXPECTED: &'static str = "a text such as \"{column}\", or a lookup { column = ..., map = ... }";
    fn text(text: String) -> Self {
        Self::Text(text)
    }
    fn table(table: Lookup) -> Self {
        Self::Lookup(table)
    }
}

impl FromText for Moment {
    type Table = MomentTable;
    const EXPECTED: &'static str = "a text such as \"{column}\", or { value = ..., not_after = ... }";
    fn text(text: String) -> Self {
        Self { value: Value::Text(text), not_after: None }
    }
    fn table(table: MomentTable) -> Self {
        Self { value: table.value, not_after: table.not_after }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOr(std::marker::PhantomData))
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOr(std::marker::PhantomData))
    }
}
