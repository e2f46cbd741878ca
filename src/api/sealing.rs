//! Sealing what a request tells of a person: identity and free texts go under the subject's own key, and records carry
//! the commitments. The same text of the same subject always has the same commitment, so a paper that comes again is
//! recognized.
//!
//! A subject's key is made when something of theirs is sealed for the first time, and kept in the transaction of the
//! command that needs it. Nothing here looks at a booking.

use super::auth::Principal;
use super::error::{of_store, status};
use super::{Api, error};
use crate::domain::facts::TextRef;
use crate::domain::ids::{CountyId, SubjectId};
use crate::identity::{CountyKey, Identity, Label, SealError, SubjectKey};
use crate::pb::ErrorReason;
use crate::rows::tables::{SEALED, SECRETS, SUBJECTS};
use crate::rows::{Cell, Row};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tonic::Status;

/// Who is making a subject's first key: one at a time.
#[derive(Clone)]
pub struct NewKeys(Arc<[Arc<Mutex<()>>; 64]>);

impl Default for NewKeys {
    fn default() -> Self {
        Self(Arc::new(std::array::from_fn(|_| Arc::default())))
    }
}

impl NewKeys {
    async fn of(&self, county: &CountyId, subject: &SubjectId) -> OwnedMutexGuard<()> {
        let mut hasher = DefaultHasher::new();
        (county, subject).hash(&mut hasher);
        let place = usize::try_from(hasher.finish() % 64).unwrap_or(0);
        let mutex = self.0.get(place).cloned().unwrap_or_default();
        mutex.lock_owned().await
    }
}

/// Seals for one subject. Keep it until the command is written: it holds back others who would make the same key.
pub struct Sealer<'a> {
    api: &'a Api,
    county: CountyId,
    subject: SubjectId,
    key: SubjectKey,
    /// The subject's row as it will be, where this makes it or changes it.
    row: Option<Row>,
    wrapped: Vec<u8>,
    texts: Vec<Row>,
    _first: Option<OwnedMutexGuard<()>>,
}

impl Api {
    /// A sealer for a subject, with the subject's key or with a new one.
    ///
    /// # Errors
    /// The store's, or a key that does not open.
    pub async fn sealer(&self, county: &CountyId, subject: &SubjectId) -> Result<Sealer<'_>, Status> {
        let mut known = self.subject_row(county, subject).await?;
        let mut first = None;
        if known.is_none() {
            first = Some(self.new_keys.of(county, subject).await);
            known = self.subject_row(county, subject).await?;
        }
        let (ledger, county, subject) = (&self.ledger, county.clone(), subject.clone());
        let wrapped = match &known {
            Some(row) => Some(bytes(row, "wrapped_key").ok_or_else(|| {
                status(ErrorReason::ContentNotKept, "this subject was expunged: nothing more can be sealed for them")
            })?),
            None => None,
        };
        if let Some(wrapped) = wrapped {
            let key = ledger.keys().unwrap_subject(&county, &subject, wrapped).map_err(|error| broken(&error))?;
            let wrapped = wrapped.to_vec();
            return Ok(Sealer { api: self, county, subject, key, row: None, wrapped, texts: Vec::new(), _first: None });
        }
        let key = SubjectKey::generate(&county, &subject, ledger.entropy()).map_err(|error| broken(&error))?;
        let wrapped = ledger.keys().wrap_subject(&key, ledger.entropy()).map_err(|error| broken(&error))?;
        let mut sealer = Sealer { api: self, county, subject, key, row: None, wrapped, texts: Vec::new(), _first: first };
        let nobody = Identity::default().commitment(&sealer.key);
        sealer.row = Some(sealer.subject_row(Cell::Null, nobody, [const { None }; 3]));
        Ok(sealer)
    }

    async fn subject_row(&self, county: &CountyId, subject: &SubjectId) -> Result<Option<Row>, Status> {
        let found = self.subject_rows(county, std::slice::from_ref(subject)).await?;
        Ok(found.into_iter().next())
    }

    async fn subject_rows(&self, county: &CountyId, subjects: &[SubjectId]) -> Result<Vec<Row>, Status> {
        let keys: Vec<Vec<Cell>> =
            subjects.iter().map(|subject| vec![Cell::from(county.as_str()), Cell::from(subject.as_str())]).collect();
        let found = self.ledger.store().rows_by(&SUBJECTS, &["county", "subject"], &keys, "").await;
        Ok(found.map_err(|error| of_store(&error))?.into_iter().map(|version| version.row).collect())
    }

    /// The county's own key.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` where the county has none yet; the store's.
    pub async fn county_key(&self, county: &CountyId) -> Result<CountyKey, Status> {
        let params = [county.as_str().into(), "county key".into()];
        let found = self.ledger.store().rows(&SECRETS, "where t.county = $1 and t.kind = $2", &params).await;
        let found = found.map_err(|error| of_store(&error))?;
        let sealed = found.first().and_then(|version| bytes(&version.row, "sealed"));
        let sealed = sealed.ok_or_else(|| error::not_found("county", &super::names::of::county(county)))?;
        self.ledger.keys().unwrap_county(county, sealed).map_err(|error| broken(&error))
    }

    /// What is kept of subjects, to be shown in an answer whose caller may see it. The answer is noted for the access log
    /// here, before anything is opened.
    ///
    /// # Errors
    /// `IDENTITY_NOT_ALLOWED`, the store's.
    pub async fn opener(
        &self,
        caller: &Principal,
        method: &'static str,
        county: &CountyId,
        subjects: &[SubjectId],
    ) -> Result<Opener<'_>, Status> {
        caller.allow_identity()?;
        caller.allow(county)?;
        tracing::info!(target: "access", method, %county, actor = %caller.actor, shown = subjects.len(), "identity shown");
        let mut known = HashMap::new();
        for row in self.subject_rows(county, subjects).await? {
            let Some(subject) = row.key.get(1).and_then(Cell::as_text).map(SubjectId::trusted) else { continue };
            let Some(wrapped) = bytes(&row, "wrapped_key") else { continue };
            let key = self.ledger.keys().unwrap_subject(county, &subject, wrapped).map_err(|error| broken(&error))?;
            known.insert(subject, (key, row));
        }
        Ok(Opener { api: self, county: county.clone(), known })
    }
}

impl Sealer<'_> {
    /// Seals a text, and gives its commitment; nothing for an empty one.
    ///
    /// # Errors
    /// No random bytes.
    pub fn text(&mut self, label: Label, text: &str) -> Result<Option<TextRef>, Status> {
        if text.is_empty() { Ok(None) } else { self.bytes(label, text.as_bytes()).map(Some) }
    }

    /// Seals bytes, and gives their commitment.
    ///
    /// # Errors
    /// No random bytes.
    pub fn bytes(&mut self, label: Label, plain: &[u8]) -> Result<TextRef, Status> {
        let sealed = self.key.seal_text(label, plain, self.api.ledger.entropy()).map_err(|error| broken(&error))?;
        let key = vec![Cell::from(self.county.as_str()), Cell::from(sealed.digest.to_vec())];
        let body = vec![Cell::from(label.as_str()), Cell::from(self.subject.as_str()), Cell::from(sealed.sealed)];
        self.texts.push(Row::new(&SEALED, key, body));
        Ok(TextRef(sealed.digest))
    }

    /// Seals who the person is, in place of what was told before, and gives the commitment.
    ///
    /// # Errors
    /// No random bytes; the store's.
    pub async fn identity(&mut self, told: &Identity) -> Result<TextRef, Status> {
        let county_key = self.api.county_key(&self.county).await?;
        let sealed = told.seal(&self.key, self.api.ledger.entropy()).map_err(|error| broken(&error))?;
        let search = told.search_keys(&county_key);
        let keys = [search.a_number, search.name, search.birth_date];
        self.row = Some(self.subject_row(Cell::from(sealed.sealed), sealed.commitment, keys));
        Ok(TextRef(sealed.commitment))
    }

    fn subject_row(&self, sealed: Cell, commitment: [u8; 32], [a_number, name, birth]: [Option<[u8; 32]>; 3]) -> Row {
        let hash = |hash: Option<[u8; 32]>| Cell::from(hash.map(|hash| hash.to_vec()));
        let key = vec![Cell::from(self.county.as_str()), Cell::from(self.subject.as_str())];
        let wrapped = Cell::from(self.wrapped.clone());
        let body = vec![wrapped, sealed, Cell::from(commitment.to_vec()), hash(a_number), Cell::Null, hash(name), hash(birth)];
        Row::new(&SUBJECTS, key, body)
    }

    /// What has to be kept with the command: the `sealed` of its call.
    pub fn rows(&mut self) -> Vec<Row> {
        let texts = std::mem::take(&mut self.texts);
        self.row.take().into_iter().chain(texts).collect()
    }
}

/// Opens what is kept of subjects.
pub struct Opener<'a> {
    api: &'a Api,
    county: CountyId,
    known: HashMap<SubjectId, (SubjectKey, Row)>,
}

impl Opener<'_> {
    /// Who a subject is; nothing where nothing was told or the subject was expunged.
    ///
    /// # Errors
    /// Sealed bytes that do not open.
    pub fn identity(&self, subject: &SubjectId) -> Result<Option<Identity>, Status> {
        let Some((key, row)) = self.known.get(subject) else { return Ok(None) };
        let Some(sealed) = bytes(row, "sealed") else { return Ok(None) };
        let commitment = bytes(row, "commitment").and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).unwrap_or_default();
        Identity::open(key, &commitment, sealed).map(Some).map_err(|error| broken(&error))
    }

    /// Bytes by their commitment; nothing where they are not kept or the subject was expunged.
    ///
    /// # Errors
    /// The store's; sealed bytes that do not open.
    pub async fn bytes(&self, subject: &SubjectId, label: Label, digest: &TextRef) -> Result<Option<Vec<u8>>, Status> {
        let Some((key, _)) = self.known.get(subject) else { return Ok(None) };
        let params = [self.county.as_str().into(), digest.0.as_slice().into()];
        let found = self.api.ledger.store().rows(&SEALED, "where t.county = $1 and t.digest = $2", &params).await;
        let found = found.map_err(|error| of_store(&error))?;
        let Some(sealed) = found.first().and_then(|version| bytes(&version.row, "sealed")) else { return Ok(None) };
        let plain = key.open_text(label, &digest.0, sealed).map_err(|error| broken(&error))?;
        Ok(Some(plain.to_vec()))
    }

    /// A text by its commitment; empty where there is none, it is not kept or the subject was expunged.
    ///
    /// # Errors
    /// The store's; sealed bytes that do not open.
    pub async fn text(&self, subject: &SubjectId, label: Label, digest: Option<&TextRef>) -> Result<String, Status> {
        let Some(digest) = digest else { return Ok(String::new()) };
        let plain = self.bytes(subject, label, digest).await?.unwrap_or_default();
        Ok(String::from_utf8(plain).unwrap_or_default())
    }
}

fn bytes<'a>(row: &'a Row, column: &str) -> Option<&'a [u8]> {
    row.get(column).and_then(Cell::as_bytes)
}

fn broken(error: &SealError) -> Status {
    tracing::error!(%error, "sealing");
    status(ErrorReason::Internal, "a defect of the server; its log has more")
}
