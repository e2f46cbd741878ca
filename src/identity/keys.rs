//! The master key, the keys under it, and what they do: seal, open, commit.
//!
//! Sealing is AES-256-GCM with a random nonce; what it belongs to (whose key, what kind of thing) is bound in, so
//! sealed bytes moved elsewhere do not open. A commitment is HMAC-SHA256. One 32-byte secret gives both keys.

use super::entropy::{Entropy, random};
use super::{NoEntropy, SealError};
use crate::domain::ids::{CountyId, SubjectId};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::ops::Deref;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// First byte of all that is sealed: how it was done.
const FORM: u8 = 1;

/// What is sealed or committed to. Part of what is hashed, so one kind never passes for another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Label {
    /// A person's identity, in its canonical form.
    Identity,
    /// Free text: a reason, a remark.
    Text,
    /// The bytes of a form or another document.
    Document,
    /// An A-number as printed on a form, normalised.
    ANumber,
    /// An officer's name.
    Officer,
}

impl Label {
    /// The word stored and hashed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Text => "text",
            Self::Document => "document",
            Self::ANumber => "a_number",
            Self::Officer => "officer",
        }
    }
}

/// Sealed bytes and the commitment by which records refer to them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedText {
    /// The commitment: what a record carries.
    pub digest: [u8; 32],
    /// The sealed bytes: what is stored apart.
    pub sealed: Vec<u8>,
}

/// Joins parts so that no two lists of parts give the same bytes: each with its length before it.
pub(super) fn joined(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        out.extend_from_slice(&(part.len() as u64).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}

/// A secret at work, for one owner.
pub struct Key {
    owner: Box<str>,
    secret: Zeroizing<[u8; 32]>,
    sealing: LessSafeKey,
    committing: hmac::Key,
}

impl Key {
    /// `owner` names whose it is, without identity; it is bound into all that is sealed.
    fn new(owner: &str, secret: Zeroizing<[u8; 32]>) -> Result<Self, SealError> {
        let root = hmac::Key::new(hmac::HMAC_SHA256, &*secret);
        let sealing = UnboundKey::new(&AES_256_GCM, hmac::sign(&root, b"seal").as_ref()).map_err(|_| SealError::Seal)?;
        let committing = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&root, b"commit").as_ref());
        Ok(Self { owner: owner.into(), secret, sealing: LessSafeKey::new(sealing), committing })
    }

    fn random(owner: &str, entropy: &dyn Entropy) -> Result<Self, SealError> {
        Self::new(owner, Zeroizing::new(random(entropy, &format!("key of {owner}"))?))
    }

    /// Seals `plain`; `what` is bound in.
    ///
    /// # Errors
    /// [`SealError::Entropy`], [`SealError::Seal`].
    pub fn seal(&self, what: &str, plain: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>, SealError> {
        let nonce: [u8; NONCE_LEN] = random(entropy, &format!("nonce for {what} of {}", self.owner))?;
        let mut body = plain.to_vec();
        let aad = Aad::from(joined(&[what.as_bytes(), self.owner.as_bytes()]));
        let nonce_used = Nonce::assume_unique_for_key(nonce);
        self.sealing.seal_in_place_append_tag(nonce_used, aad, &mut body).map_err(|_| SealError::Seal)?;
        Ok([&[FORM], &nonce[..], &body].concat())
    }

    /// Opens what [`Key::seal`] sealed under the same key and `what`.
    ///
    /// # Errors
    /// [`SealError::Open`].
    pub fn open(&self, what: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let rest = sealed.strip_prefix(&[FORM]).ok_or(SealError::Open)?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or(SealError::Open)?;
        let aad = Aad::from(joined(&[what.as_bytes(), self.owner.as_bytes()]));
        let mut body = Zeroizing::new(body.to_vec());
        let opened = self.sealing.open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut body);
        let len = opened.map_err(|_| SealError::Open)?.len();
        body.truncate(len);
        Ok(body)
    }

    /// The commitment to canonical bytes: the same bytes give the same, and without the key it says nothing of them.
    #[must_use]
    pub fn commit(&self, label: Label, canonical: &[u8]) -> [u8; 32] {
        self.mac(&["commit", label.as_str()], canonical)
    }

    /// A keyed hash under words that say what it is for.
    pub(super) fn mac(&self, words: &[&str], bytes: &[u8]) -> [u8; 32] {
        let mut parts: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        parts.push(bytes);
        mac(&self.committing, &parts)
    }

    /// Seals text or a document, and makes the commitment by which records refer to it.
    ///
    /// # Errors
    /// [`SealError::Entropy`], [`SealError::Seal`].
    pub fn seal_text(&self, label: Label, text: &[u8], entropy: &dyn Entropy) -> Result<SealedText, SealError> {
        Ok(SealedText { digest: self.commit(label, text), sealed: self.seal(label.as_str(), text, entropy)? })
    }

    /// Opens text or a document, and makes sure that it is the one committed to.
    ///
    /// # Errors
    /// [`SealError::Open`], [`SealError::Commitment`].
    pub fn open_text(&self, label: Label, digest: &[u8; 32], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let text = self.open(label.as_str(), sealed)?;
        if super::token::same(&self.commit(label, &text), digest) { Ok(text) } else { Err(SealError::Commitment) }
    }
}

/// HMAC-SHA256 over parts, each with its length before it.
pub(super) fn mac(key: &hmac::Key, parts: &[&[u8]]) -> [u8; 32] {
    let tag = hmac::sign(key, &joined(parts));
    let mut out = [0; 32];
    out.copy_from_slice(tag.as_ref());
    out
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// The key of one subject of one county. Destroying its wrapped form destroys all that it sealed.
#[derive(Debug)]
pub struct SubjectKey(Key);

impl SubjectKey {
    fn owner(county: &CountyId, subject: &SubjectId) -> String {
        format!("counties/{county}/subjects/{subject}")
    }

    /// A new one.
    ///
    /// # Errors
    /// [`SealError::Entropy`].
    pub fn generate(county: &CountyId, subject: &SubjectId, entropy: &dyn Entropy) -> Result<Self, SealError> {
        Key::random(&Self::owner(county, subject), entropy).map(Self)
    }
}

impl Deref for SubjectKey {
    type Target = Key;
    fn deref(&self) -> &Key {
        &self.0
    }
}

/// The key of one county: fingerprints of requests, search keys, and texts that belong to no subject.
#[derive(Debug)]
pub struct CountyKey(Key);

impl CountyKey {
    fn owner(county: &CountyId) -> String {
        format!("counties/{county}")
    }

    /// A new one.
    ///
    /// # Errors
    /// [`SealError::Entropy`].
    pub fn generate(county: &CountyId, entropy: &dyn Entropy) -> Result<Self, SealError> {
        Key::random(&Self::owner(county), entropy).map(Self)
    }

    /// The fingerprint of a request: method and canonical command. The same request gives the same.
    #[must_use]
    pub fn fingerprint(&self, method: &str, canonical: &[u8]) -> [u8; 32] {
        self.mac(&["fingerprint", method], canonical)
    }
}

impl Deref for CountyKey {
    type Target = Key;
    fn deref(&self) -> &Key {
        &self.0
    }
}

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The file cannot be read or written.
    #[error("the master key file {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others than its owner may read the file.
    #[error("the master key file {path} may be read by others: set its mode to 0600")]
    Open {
        /// Which.
        path: PathBuf,
    },
    /// Neither 32 bytes nor 64 hexadecimal digits.
    #[error("a master key is 32 bytes, or 64 hexadecimal digits")]
    Form,
    /// No random bytes for a new one.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
}

/// The key under which all others are wrapped. It stays outside of the database.
pub struct MasterKey {
    root: hmac::Key,
    secret: Zeroizing<[u8; 32]>,
}

impl MasterKey {
    fn new(secret: Zeroizing<[u8; 32]>) -> Self {
        Self { root: hmac::Key::new(hmac::HMAC_SHA256, &*secret), secret }
    }

    /// From 64 hexadecimal digits, as in an environment variable; space around them is ignored.
    ///
    /// # Errors
    /// [`MasterKeyError::Form`].
    pub fn from_hex(text: &str) -> Result<Self, MasterKeyError> {
        let mut secret = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim(), &mut *secret).map_err(|_| MasterKeyError::Form)?;
        Ok(Self::new(secret))
    }

    /// From a file of 32 bytes, or of 64 hexadecimal digits, that only its owner may read.
    ///
    /// # Errors
    /// All but [`MasterKeyError::Entropy`].
    pub fn load(path: &Path) -> Result<Self, MasterKeyError> {
        let failed = |source| MasterKeyError::File { path: path.to_owned(), source };
        if fs::metadata(path).map_err(failed)?.permissions().mode() & 0o077 != 0 {
            return Err(MasterKeyError::Open { path: path.to_owned() });
        }
        let bytes = Zeroizing::new(fs::read(path).map_err(failed)?);
        if let Ok(raw) = <[u8; 32]>::try_from(bytes.as_slice()) {
            return Ok(Self::new(Zeroizing::new(raw)));
        }
        Self::from_hex(std::str::from_utf8(&bytes).map_err(|_| MasterKeyError::Form)?)
    }

    /// Loads the file, or makes it with a new key and mode 0600 where there is none; says whether it was made. Of two
    /// programs that start together one makes it and both use it. Not to be called where keys wrapped under a lost
    /// master key are stored: a new one cannot open them.
    ///
    /// # Errors
    /// As [`MasterKey::load`], and [`MasterKeyError::Entropy`].
    pub fn load_or_create(path: &Path, entropy: &dyn Entropy) -> Result<(Self, bool), MasterKeyError> {
        match Self::load(path) {
            Err(MasterKeyError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            other => return other.map(|key| (key, false)),
        }
        let secret = Zeroizing::new(random::<32>(entropy, "master key")?);
        let draft = path.with_extension(format!("{}.draft", hex::encode(random::<8>(entropy, "master key draft")?)));
        let placed = place(&draft, path, Zeroizing::new(hex::encode(secret.as_slice())).as_bytes());
        match placed {
            Ok(()) => Ok((Self::new(secret), true)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::load(path).map(|key| (key, false)),
            Err(source) => Err(MasterKeyError::File { path: path.to_owned(), source }),
        }
    }

    /// A secret of the server's own for one purpose, such as page tokens: the same on every server with this key.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(mac(&self.root, &[b"derive", purpose.as_bytes()]))
    }

    /// Four bytes that tell this master key from another.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let [a, b, c, d, ..] = mac(&self.root, &[b"id"]);
        [a, b, c, d]
    }

    /// Wraps a subject's key for storing.
    ///
    /// # Errors
    /// [`SealError::Entropy`], [`SealError::Seal`].
    pub fn wrap_subject(&self, key: &SubjectKey, entropy: &dyn Entropy) -> Result<Vec<u8>, SealError> {
        self.wrap(&key.0, entropy)
    }

    /// A subject's key, from what was stored.
    ///
    /// # Errors
    /// [`SealError::OtherMaster`], [`SealError::Open`].
    pub fn unwrap_subject(&self, county: &CountyId, subject: &SubjectId, wrapped: &[u8]) -> Result<SubjectKey, SealError> {
        self.unwrap(&SubjectKey::owner(county, subject), wrapped).map(SubjectKey)
    }

    /// Wraps a county's key for storing.
    ///
    /// # Errors
    /// [`SealError::Entropy`], [`SealError::Seal`].
    pub fn wrap_county(&self, key: &CountyKey, entropy: &dyn Entropy) -> Result<Vec<u8>, SealError> {
        self.wrap(&key.0, entropy)
    }

    /// A county's key, from what was stored.
    ///
    /// # Errors
    /// [`SealError::OtherMaster`], [`SealError::Open`].
    pub fn unwrap_county(&self, county: &CountyId, wrapped: &[u8]) -> Result<CountyKey, SealError> {
        self.unwrap(&CountyKey::owner(county), wrapped).map(CountyKey)
    }

    /// Marks a database as one whose keys this master key wraps: bytes that only it recognises.
    ///
    /// # Errors
    /// [`SealError::Entropy`], [`SealError::Seal`].
    pub fn mark(&self, entropy: &dyn Entropy) -> Result<Vec<u8>, SealError> {
        self.wrap(&Key::random("database", entropy)?, entropy)
    }

    /// Whether a stored key, or the mark of a database, was wrapped under this master key.
    #[must_use]
    pub fn wrapped(&self, stored: &[u8]) -> bool {
        stored.starts_with(&self.id())
    }

    fn wrap(&self, key: &Key, entropy: &dyn Entropy) -> Result<Vec<u8>, SealError> {
        let sealed = Key::new(&key.owner, self.secret.clone())?.seal("key", &*key.secret, entropy)?;
        Ok([&self.id()[..], &sealed].concat())
    }

    fn unwrap(&self, owner: &str, wrapped: &[u8]) -> Result<Key, SealError> {
        let (id, sealed) = wrapped.split_first_chunk::<4>().ok_or(SealError::Open)?;
        if *id != self.id() {
            return Err(SealError::OtherMaster);
        }
        let secret = Key::new(owner, self.secret.clone())?.open("key", sealed)?;
        let secret = <[u8; 32]>::try_from(secret.as_slice()).map_err(|_| SealError::Open)?;
        Key::new(owner, Zeroizing::new(secret))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

/// Writes a file that is there whole or not at all, readable by its owner alone; an existing one is left.
fn place(draft: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    let linked = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::hard_link(draft, path));
    fs::remove_file(draft)?;
    linked?;
    // Without this the name may be lost in a power cut.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
