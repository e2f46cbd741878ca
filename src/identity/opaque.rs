//! Page tokens and cursors: the server's own bytes, handed out as text and taken back only if they are unchanged and
//! come back to where they were given. They are authenticated, not hidden: no identity goes into one.

use super::keys::{MasterKey, mac};
use super::token::same;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;

/// Bytes of the code at the end: half of HMAC-SHA256.
const CODE: usize = 16;
/// The longest text looked at.
const MAX_TEXT: usize = 4096;

/// A text that this server did not make for this use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("is not a token of this server for this call")]
pub struct BadOpaque;

/// Makes and checks opaque texts.
pub struct Opaque {
    key: hmac::Key,
}

impl Opaque {
    /// Under a secret derived from the master key: the same on every server that has it.
    #[must_use]
    pub fn new(master: &MasterKey) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &*master.derive("opaque texts")) }
    }

    fn code(&self, context: &str, bytes: &[u8]) -> [u8; CODE] {
        let mut code = [0; CODE];
        code.copy_from_slice(&mac(&self.key, &[context.as_bytes(), bytes])[..CODE]);
        code
    }

    /// The text for `bytes`, good only for `context`: method, principal, query, whatever the answer depends on.
    #[must_use]
    pub fn seal(&self, context: &str, bytes: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode([bytes, &self.code(context, bytes)].concat())
    }

    /// The bytes of a text made for the same `context`.
    ///
    /// # Errors
    /// [`BadOpaque`].
    pub fn open(&self, context: &str, text: &str) -> Result<Vec<u8>, BadOpaque> {
        if text.len() > MAX_TEXT {
            return Err(BadOpaque);
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| BadOpaque)?;
        let len = bytes.len().checked_sub(CODE).ok_or(BadOpaque)?;
        let code = bytes.split_off(len);
        if same(&self.code(context, &bytes), &code) { Ok(bytes) } else { Err(BadOpaque) }
    }
}

impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opaque(..)")
    }
}
