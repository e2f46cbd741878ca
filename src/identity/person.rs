//! A person's identity: what is told, how it is normalised, sealed, committed to and searched.

use super::entropy::Entropy;
use super::keys::{CountyKey, Label, SubjectKey};
use super::{SealError, token};
use crate::domain::time::Date;
use crate::journal::wire::{decode, encode, message};
use chrono::Datelike as _;
use std::fmt;

/// The longest name, in characters.
pub const MAX_NAME: usize = 100;
/// The longest FBI number.
const MAX_FBI: usize = 9;
/// The longest state number.
const MAX_STATE: usize = 20;
/// No earlier birth is believed.
const FIRST_BIRTH_YEAR: i32 = 1850;

/// Who a person is, as far as was told; empty means not told. Its canonical bytes are what is sealed and committed to.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// Family name.
    pub family: String,
    /// Given name.
    pub given: String,
    /// Middle name.
    pub middle: String,
    /// Date of birth.
    pub birth_date: Option<Date>,
    /// A-number: nine digits.
    pub a_number: String,
    /// FBI number: up to nine letters and digits.
    pub fbi_number: String,
    /// State identification number: up to twenty letters and digits.
    pub state_id: String,
}

message! {
    /// Sealed; never part of a record.
    Identity { 1: family, 2: given, 3: middle, 4: birth_date, 5: a_number, 6: fbi_number, 7: state_id }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(..)")
    }
}

/// What is wrong with a field of an identity; never repeats it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IdentityProblem {
    /// A name of more than [`MAX_NAME`] characters.
    #[error("is longer than {MAX_NAME} characters")]
    TooLong,
    /// Control characters, or such as change the direction of writing.
    #[error("holds characters that cannot be printed")]
    Unprintable,
    /// Not an A-number.
    #[error("is not an A-number: seven to nine digits, after an A or not")]
    ANumber,
    /// Not an FBI number.
    #[error("is not an FBI number: up to {MAX_FBI} letters and digits")]
    FbiNumber,
    /// Not a state number.
    #[error("is not a state number: up to {MAX_STATE} letters and digits")]
    StateId,
    /// Born after today, or before anyone alive.
    #[error("is not a date of birth")]
    BirthDate,
}

/// One wrong field.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{field} {problem}")]
pub struct BadIdentity {
    /// Its name.
    pub field: &'static str,
    /// What is wrong.
    pub problem: IdentityProblem,
}

/// A sealed identity and the commitment that records carry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedIdentity {
    /// What a record carries.
    pub commitment: [u8; 32],
    /// What is stored apart.
    pub sealed: Vec<u8>,
}

impl Identity {
    /// Whether nothing was told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The same in canonical form: names without needless space, numbers without punctuation, the A-number as nine
    /// digits. `today` is the county's local day.
    ///
    /// # Errors
    /// Every field that is wrong, and why.
    pub fn normalised(&self, today: Date) -> Result<Self, Vec<BadIdentity>> {
        let mut bad = Vec::new();
        let mut take = |field, value: Result<String, IdentityProblem>| {
            value.unwrap_or_else(|problem| {
                bad.push(BadIdentity { field, problem });
                String::new()
            })
        };
        let clean = Self {
            family: take("family", name(&self.family)),
            given: take("given", name(&self.given)),
            middle: take("middle", name(&self.middle)),
            birth_date: self.birth_date,
            a_number: take("a_number", a_number(&self.a_number)),
            fbi_number: take("fbi_number", number(&self.fbi_number, MAX_FBI).ok_or(IdentityProblem::FbiNumber)),
            state_id: take("state_id", number(&self.state_id, MAX_STATE).ok_or(IdentityProblem::StateId)),
        };
        if clean.birth_date.is_some_and(|born| born > today || born.year() < FIRST_BIRTH_YEAR) {
            bad.push(BadIdentity { field: "birth_date", problem: IdentityProblem::BirthDate });
        }
        if bad.is_empty() { Ok(clean) } else { Err(bad) }
    }

    /// Whole years of age on a day; `None` where the birth is not known or later. Someone born on a leap day is a year
    /// older from the first of March.
    #[must_use]
    pub fn age_on(&self, day: Date) -> Option<u32> {
        day.years_since(self.birth_date?)
    }

    /// Its canonical bytes.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        encode(self)
    }

    /// The commitment to it under the subject's key.
    #[must_use]
    pub fn commitment(&self, key: &SubjectKey) -> [u8; 32] {
        key.commit(Label::Identity, &self.canonical())
    }

    /// Seals it under the subject's key.
    ///
    /// # Errors
    /// [`SealError::Entropy`], [`SealError::Seal`].
    pub fn seal(&self, key: &SubjectKey, entropy: &dyn Entropy) -> Result<SealedIdentity, SealError> {
        let sealed = key.seal(Label::Identity.as_str(), &self.canonical(), entropy)?;
        Ok(SealedIdentity { commitment: self.commitment(key), sealed })
    }

    /// Opens it, and makes sure that it is the one committed to.
    ///
    /// # Errors
    /// [`SealError::Open`], [`SealError::Commitment`].
    pub fn open(key: &SubjectKey, commitment: &[u8; 32], sealed: &[u8]) -> Result<Self, SealError> {
        let bytes = key.open(Label::Identity.as_str(), sealed)?;
        if !token::same(&key.commit(Label::Identity, &bytes), commitment) {
            return Err(SealError::Commitment);
        }
        decode(&bytes).map_err(|_| SealError::Open)
    }

    /// The keys by which it can be found.
    #[must_use]
    pub fn search_keys(&self, county: &CountyKey) -> SearchKeys {
        let key = |field: SearchField, value: &str| (!value.is_empty()).then(|| county.search(field, value));
        let full_name = [&self.family, &self.given].map(|part| part.to_uppercase()).join("\u{1f}");
        let named = !self.family.is_empty() || !self.given.is_empty();
        SearchKeys {
            a_number: key(SearchField::ANumber, &self.a_number),
            fbi_number: key(SearchField::FbiNumber, &self.fbi_number),
            state_id: key(SearchField::StateId, &self.state_id),
            name: named.then(|| county.search(SearchField::Name, &full_name)),
            birth_date: self.birth_date.map(|day| county.search(SearchField::BirthDate, &day.to_string())),
        }
    }
}

/// A field by which a subject can be searched.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SearchField {
    /// The A-number, nine digits.
    ANumber,
    /// The FBI number, normalised.
    FbiNumber,
    /// The state number, normalised.
    StateId,
    /// The jail's own number for the person.
    LocalId,
    /// Family and given name, in capitals.
    Name,
    /// The date of birth, as YYYY-MM-DD.
    BirthDate,
}

impl SearchField {
    const fn as_str(self) -> &'static str {
        match self {
            Self::ANumber => "a_number",
            Self::FbiNumber => "fbi_number",
            Self::StateId => "state_id",
            Self::LocalId => "local_id",
            Self::Name => "name",
            Self::BirthDate => "birth_date",
        }
    }
}

/// Keyed hashes of the searchable fields, where told: equal values of one county have equal keys.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct SearchKeys {
    /// Of the A-number.
    pub a_number: Option<[u8; 32]>,
    /// Of the FBI number.
    pub fbi_number: Option<[u8; 32]>,
    /// Of the state number.
    pub state_id: Option<[u8; 32]>,
    /// Of family and given name together.
    pub name: Option<[u8; 32]>,
    /// Of the date of birth.
    pub birth_date: Option<[u8; 32]>,
}

impl fmt::Debug for SearchKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SearchKeys(..)")
    }
}

impl CountyKey {
    /// The key under which a value can be found in this county; the value is to be normalised.
    #[must_use]
    pub fn search(&self, field: SearchField, value: &str) -> [u8; 32] {
        self.mac(&["search", field.as_str()], value.as_bytes())
    }
}

/// A name without needless space.
fn name(text: &str) -> Result<String, IdentityProblem> {
    let clean = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if !is_printable(&clean) {
        return Err(IdentityProblem::Unprintable);
    }
    if clean.chars().count() > MAX_NAME {
        return Err(IdentityProblem::TooLong);
    }
    Ok(clean)
}

/// No control characters, none that change the direction of writing, none that cannot be seen.
fn is_printable(text: &str) -> bool {
    let hidden =
        |c| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{61c}' | '\u{feff}');
    !text.chars().any(|c| c.is_control() || hidden(c))
}

/// An A-number as nine digits: `A 012 345 678`, `a12-345-678` and `12345678` are all ways to write one. Empty stays empty.
///
/// # Errors
/// [`IdentityProblem::ANumber`].
pub fn a_number(text: &str) -> Result<String, IdentityProblem> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    let bare = text.strip_prefix(['A', 'a']).unwrap_or(text);
    let bare = bare.strip_prefix('#').unwrap_or(bare);
    let digits: String = bare.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let good = (7..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if good { Ok(format!("{digits:0>9}")) } else { Err(IdentityProblem::ANumber) }
}

/// A number of letters and digits, in capitals, without space and hyphens.
fn number(text: &str, longest: usize) -> Option<String> {
    let bare: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).map(|c| c.to_ascii_uppercase()).collect();
    (bare.len() <= longest && bare.bytes().all(|b| b.is_ascii_alphanumeric())).then_some(bare)
}
