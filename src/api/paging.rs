//! Pages: opaque tokens that hold the point of knowledge and the last key, bound to the query they were made for.

use super::error::status;
use crate::identity::Opaque;
use crate::ledger::AsOf;
use crate::pb::ErrorReason;
use prost::Message;
use sha2::{Digest as _, Sha256};
use tonic::Status;

/// Where a list goes on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resume {
    /// The point of knowledge of all its pages.
    pub seq: i64,
    /// The instant asked about, in microseconds; 0 where the list has none.
    pub at: i64,
    /// The last key sent: only later ones come.
    pub key: String,
}

/// What page is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// How many entries at most.
    pub size: usize,
    /// Where to go on; nothing for the first page.
    pub resume: Option<Resume>,
    context: String,
}

impl Page {
    /// Reads size and token. `query` is the request with `page_size` and `page_token` cleared: a token is good only for
    /// the query it was made for.
    ///
    /// # Errors
    /// `FIELD_INVALID` for a size out of range, `PAGE_TOKEN_INVALID` for a token of another query.
    pub fn read(
        opaque: &Opaque,
        method: &str,
        query: &impl Message,
        size: i32,
        token: &str,
        largest: i32,
    ) -> Result<Self, Status> {
        if !(0..=largest).contains(&size) {
            let why = format!("must be 1 to {largest}, or 0 for 100");
            return Err(super::error::bad_fields(ErrorReason::FieldInvalid, vec![("page_size".into(), why)]));
        }
        let size = usize::try_from(if size == 0 { 100 } else { size }).unwrap_or(100);
        let context = format!("page {method} {}", hex::encode(Sha256::digest(query.encode_to_vec())));
        let resume = match token {
            "" => None,
            token => {
                let bytes = opaque.open(&context, token).ok();
                let resume = bytes.and_then(|bytes| decode(&bytes));
                Some(resume.ok_or_else(|| status(ErrorReason::PageTokenInvalid, "the page token was not made for this query"))?)
            }
        };
        Ok(Self { size, resume, context })
    }

    /// The point of knowledge of this page: that of the first page, or the one asked for.
    #[must_use]
    pub fn as_of(&self, asked: AsOf) -> AsOf {
        self.resume.as_ref().map_or(asked, |resume| AsOf::Sequence(resume.seq))
    }

    /// The token of the page after this one.
    #[must_use]
    pub fn token(&self, opaque: &Opaque, resume: &Resume) -> String {
        let mut bytes = resume.seq.to_be_bytes().to_vec();
        bytes.extend(resume.at.to_be_bytes());
        bytes.extend(resume.key.as_bytes());
        opaque.seal(&self.context, &bytes)
    }

    /// Cuts a whole list, in ascending order of `key`, to this page, and makes the token of the next.
    pub fn cut<T>(&self, opaque: &Opaque, seq: i64, at: i64, all: Vec<T>, key: impl Fn(&T) -> String) -> (Vec<T>, String) {
        let after = self.resume.as_ref().map(|resume| resume.key.clone());
        let mut rest = all.into_iter().filter(|item| after.as_ref().is_none_or(|after| key(item) > *after));
        let page: Vec<T> = rest.by_ref().take(self.size).collect();
        let more = rest.next().is_some();
        let token = match page.last() {
            Some(last) if more => self.token(opaque, &Resume { seq, at, key: key(last) }),
            _ => String::new(),
        };
        (page, token)
    }
}

fn decode(bytes: &[u8]) -> Option<Resume> {
    let (seq, rest) = bytes.split_first_chunk::<8>()?;
    let (at, key) = rest.split_first_chunk::<8>()?;
    let key = std::str::from_utf8(key).ok()?.to_owned();
    Some(Resume { seq: i64::from_be_bytes(*seq), at: i64::from_be_bytes(*at), key })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::MasterKey;
    use crate::pb::ListFacilitiesRequest;

    #[test]
    fn pages_neither_skip_nor_repeat_and_tokens_keep_to_their_query() {
        let opaque = Opaque::new(&MasterKey::from_hex(&"ab".repeat(32)).unwrap());
        let query = ListFacilitiesRequest { parent: "counties/a".into(), ..ListFacilitiesRequest::default() };
        let all: Vec<String> = (0..7).map(|n| n.to_string()).collect();
        let (mut token, mut seen) = (String::new(), Vec::new());
        loop {
            let page = Page::read(&opaque, "ListFacilities", &query, 3, &token, 1000).unwrap();
            let (items, next) = page.cut(&opaque, 9, 0, all.clone(), Clone::clone);
            seen.extend(items);
            if next.is_empty() {
                break;
            }
            token = next;
        }
        assert_eq!(seen, all);
        let other = ListFacilitiesRequest { parent: "counties/b".into(), ..ListFacilitiesRequest::default() };
        assert!(Page::read(&opaque, "ListFacilities", &other, 3, &token, 1000).is_err());
        assert_eq!(Page::read(&opaque, "ListFacilities", &query, 3, &token, 1000).unwrap().resume.unwrap().seq, 9);
        assert!(Page::read(&opaque, "ListFacilities", &query, -1, "", 1000).is_err());
    }
}
