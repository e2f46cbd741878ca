//! The tree over a county's records, as in RFC 6962 section 2.1: SHA-256, leaves and nodes hashed apart.
//!
//! A leaf is the hash of a record's exact bytes. The head of a county keeps a [`Frontier`], at most 64 hashes, from
//! which the root follows and to which a leaf is added without reading any other record. Proofs are not made here.

use sha2::{Digest, Sha256};

/// A hash of the tree.
pub type Hash = [u8; 32];

/// The hash of a leaf: one record's exact bytes.
#[must_use]
pub fn leaf_hash(record: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(record).finalize().into()
}

/// The hash of a node over its two children.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The root of a tree of no leaves: the hash of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// The root over all leaves, by the definition and nothing else: for checking what [`Frontier`] says.
#[must_use]
pub fn root_of(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [only] => *only,
        _ => {
            // The largest power of two below the number of leaves.
            let left = 1 << (leaves.len() - 1).ilog2();
            node_hash(&root_of(&leaves[..left]), &root_of(&leaves[left..]))
        }
    }
}

/// Why bytes are not a stored frontier.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadFrontier {
    /// Fewer than the eight bytes of the size.
    #[error("a frontier is cut short")]
    Short,
    /// Not one hash for each full subtree of the size.
    #[error("a frontier of {size} leaves needs {needed} hashes, and {found} bytes of them were found")]
    Hashes {
        /// Leaves it says it has.
        size: u64,
        /// Hashes that many leaves have.
        needed: u32,
        /// Bytes after the size.
        found: usize,
    },
}

/// The roots of the full subtrees of a tree that grows at its right: one for each bit set in its size, largest first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Frontier {
    size: u64,
    roots: Vec<Hash>,
}

impl Frontier {
    /// The frontier of no leaves.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, roots: Vec::new() }
    }

    /// Leaves so far.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf.
    pub fn append(&mut self, leaf: Hash) {
        let mut node = leaf;
        // Each full subtree of the same height joins the new one, as a carry does.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.roots.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.roots.push(node);
        self.size += 1;
    }

    /// The root over all leaves so far.
    #[must_use]
    pub fn root(&self) -> Hash {
        let fold = self.roots.iter().rev().copied().reduce(|right, left| node_hash(&left, &right));
        fold.unwrap_or_else(empty_root)
    }

    /// As stored: the size, eight bytes, big-endian; then the hashes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.size.to_be_bytes().to_vec();
        self.roots.iter().for_each(|root| out.extend_from_slice(root));
        out
    }

    /// From what was stored.
    ///
    /// # Errors
    /// If the bytes are not those of a frontier.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadFrontier> {
        let (size, rest) = bytes.split_first_chunk::<8>().ok_or(BadFrontier::Short)?;
        let size = u64::from_be_bytes(*size);
        let (roots, tail) = rest.as_chunks::<32>();
        let needed = size.count_ones();
        if !tail.is_empty() || roots.len() != needed as usize {
            return Err(BadFrontier::Hashes { size, needed, found: rest.len() });
        }
        Ok(Self { size, roots: roots.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hash(hex: &str) -> Hash {
        hex::decode(hex).unwrap().try_into().unwrap()
    }

    /// The eight leaves and roots with which the certificate-transparency reference tests its trees.
    const KNOWN: [(&str, &str); 8] = [
        ("", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        ("00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
        ("10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
        ("2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
        ("3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
        ("40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
        ("5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
        ("606162636465666768696a6b6c6d6e6f", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
    ];

    #[test]
    fn known_roots() {
        assert_eq!(Frontier::new().root(), hash("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
        let mut frontier = Frontier::new();
        let mut leaves = Vec::new();
        for (record, root) in KNOWN {
            let leaf = leaf_hash(&hex::decode(record).unwrap());
            frontier.append(leaf);
            leaves.push(leaf);
            assert_eq!(frontier.root(), hash(root), "{} leaves", leaves.len());
            assert_eq!(root_of(&leaves), hash(root), "{} leaves", leaves.len());
        }
        assert_eq!(frontier.size(), 8);
    }

    #[test]
    fn stored_frontiers() {
        let mut frontier = Frontier::new();
        for n in 0..200_u8 {
            assert_eq!(Frontier::from_bytes(&frontier.to_bytes()).as_ref(), Ok(&frontier));
            frontier.append(leaf_hash(&[n]));
        }
        assert_eq!(Frontier::from_bytes(&[0; 7]), Err(BadFrontier::Short));
        let mut bytes = frontier.to_bytes();
        bytes.pop();
        assert_eq!(Frontier::from_bytes(&bytes), Err(BadFrontier::Hashes { size: 200, needed: 3, found: 95 }));
        bytes.extend([0; 33]);
        assert_eq!(Frontier::from_bytes(&bytes), Err(BadFrontier::Hashes { size: 200, needed: 3, found: 128 }));
    }

    proptest! {
        #[test]
        fn frontier_and_definition_agree(records in proptest::collection::vec(any::<[u8; 3]>(), 0..70), cut in 0..70_usize) {
            let leaves: Vec<Hash> = records.iter().map(|record| leaf_hash(record)).collect();
            let cut = cut.min(leaves.len());
            let mut frontier = Frontier::new();
            leaves[..cut].iter().for_each(|leaf| frontier.append(*leaf));
            prop_assert_eq!(frontier.root(), root_of(&leaves[..cut]));
            // Going on from what was stored is going on.
            let mut stored = Frontier::from_bytes(&frontier.to_bytes()).unwrap();
            leaves[cut..].iter().for_each(|leaf| stored.append(*leaf));
            prop_assert_eq!(stored.root(), root_of(&leaves));
            prop_assert_eq!(stored.size(), leaves.len() as u64);
        }
    }
}
