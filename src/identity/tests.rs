//! Sealing refuses whatever is not exactly what was sealed; nothing of a person is ever printed.

use super::entropy::random;
use super::person::a_number;
use super::token::{PREFIX, is_token, new_token, same, token_hash};
use super::*;
use crate::domain::ids::{CountyId, SubjectId};
use crate::domain::time::Date;
use proptest::prelude::*;
use std::os::unix::fs::PermissionsExt as _;

fn county(word: &str) -> CountyId {
    CountyId::new(word).unwrap()
}

fn subject(word: &str) -> SubjectId {
    SubjectId::new(word).unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn master() -> MasterKey {
    MasterKey::from_hex(&"0123456789abcdef".repeat(4)).unwrap()
}

fn key(seed: u64) -> SubjectKey {
    SubjectKey::generate(&county("cook"), &subject("s1"), &SeededEntropy::new(seed)).unwrap()
}

fn somebody() -> Identity {
    Identity {
        family: "Canaryfamily".into(),
        given: "Canarygiven".into(),
        middle: "Canarymiddle".into(),
        birth_date: Some(day("1987-02-03")),
        a_number: "098765432".into(),
        fbi_number: "12345AB1".into(),
        state_id: "TX01234567".into(),
    }
}

#[test]
fn what_is_sealed_opens_only_in_its_place_under_its_key_and_unchanged() {
    let entropy = SeededEntropy::new(1);
    let mine = key(1);
    let sealed = mine.seal("text", b"a remark", &entropy).unwrap();
    assert_eq!(mine.open("text", &sealed).unwrap().as_slice(), b"a remark");
    assert!(!sealed.windows(8).any(|part| part == b"a remark"));
    assert_eq!(mine.open("document", &sealed), Err(SealError::Open), "another kind");
    assert_eq!(key(2).open("text", &sealed), Err(SealError::Open), "another key");
    // Wrapped and unwrapped it is the same key.
    let wrapped = master().wrap_subject(&mine, &entropy).unwrap();
    let again = master().unwrap_subject(&county("cook"), &subject("s1"), &wrapped).unwrap();
    assert_eq!(again.open("text", &sealed).unwrap().as_slice(), b"a remark");
    for n in 0..sealed.len() {
        for bit in 0..8 {
            let mut changed = sealed.clone();
            changed[n] ^= 1 << bit;
            assert_eq!(mine.open("text", &changed), Err(SealError::Open), "byte {n} bit {bit}");
        }
        assert_eq!(mine.open("text", &sealed[..n]), Err(SealError::Open), "cut at {n}");
    }
    assert_eq!(mine.open("text", &[&sealed[..], &[0]].concat()), Err(SealError::Open), "longer");
}

#[test]
fn two_sealings_of_the_same_differ() {
    let entropy = SeededEntropy::new(1);
    assert_ne!(key(1).seal("text", b"x", &entropy), key(1).seal("text", b"x", &entropy));
}

#[test]
fn wrapped_keys_open_only_for_their_owner_under_their_master() {
    let entropy = SeededEntropy::new(3);
    let wrapped = master().wrap_subject(&key(1), &entropy).unwrap();
    let open = |master: &MasterKey, c: &str, s: &str, bytes: &[u8]| {
        master.unwrap_subject(&county(c), &subject(s), bytes).map(|key| key.commit(Label::Text, b"x"))
    };
    assert_eq!(open(&master(), "cook", "s1", &wrapped), Ok(key(1).commit(Label::Text, b"x")));
    assert_eq!(open(&master(), "cook", "s2", &wrapped), Err(SealError::Open));
    assert_eq!(open(&master(), "kane", "s1", &wrapped), Err(SealError::Open));
    let other = MasterKey::from_hex(&"ab".repeat(32)).unwrap();
    assert_eq!(open(&other, "cook", "s1", &wrapped), Err(SealError::OtherMaster));
    for n in 4..wrapped.len() {
        let mut changed = wrapped.clone();
        changed[n] ^= 1;
        assert_eq!(open(&master(), "cook", "s1", &changed), Err(SealError::Open), "byte {n}");
        assert!(open(&master(), "cook", "s1", &wrapped[..n]).is_err());
    }
    assert_eq!(open(&master(), "cook", "s1", &[]), Err(SealError::Open));
    // A county's key does not pass for a subject's.
    let wrapped = master().wrap_county(&CountyKey::generate(&county("cook"), &entropy).unwrap(), &entropy).unwrap();
    assert!(master().unwrap_county(&county("cook"), &wrapped).is_ok());
    assert_eq!(master().unwrap_county(&county("kane"), &wrapped).err(), Some(SealError::Open));
    assert_eq!(open(&master(), "cook", "s1", &wrapped), Err(SealError::Open));
}

#[test]
fn commitments_tell_keys_kinds_and_contents_apart() {
    let all = [
        key(1).commit(Label::Text, b"x"),
        key(1).commit(Label::Text, b"y"),
        key(1).commit(Label::Text, b""),
        key(1).commit(Label::Officer, b"x"),
        key(2).commit(Label::Text, b"x"),
    ];
    for (n, one) in all.iter().enumerate() {
        assert!(!all[n + 1..].contains(one), "{n}");
    }
    assert_eq!(all[0], key(1).commit(Label::Text, b"x"));
}

#[test]
fn a_text_is_the_one_committed_to() {
    let entropy = SeededEntropy::new(4);
    let one = key(1).seal_text(Label::Text, b"one", &entropy).unwrap();
    let two = key(1).seal_text(Label::Text, b"two", &entropy).unwrap();
    assert_eq!(key(1).open_text(Label::Text, &one.digest, &one.sealed).unwrap().as_slice(), b"one");
    assert_eq!(key(1).open_text(Label::Text, &one.digest, &two.sealed), Err(SealError::Commitment));
    assert_eq!(key(1).open_text(Label::Document, &one.digest, &one.sealed), Err(SealError::Open));
}

#[test]
fn an_identity_seals_opens_and_commits() {
    let entropy = SeededEntropy::new(5);
    let sealed = somebody().seal(&key(1), &entropy).unwrap();
    assert_eq!(sealed.commitment, somebody().commitment(&key(1)));
    assert_eq!(Identity::open(&key(1), &sealed.commitment, &sealed.sealed), Ok(somebody()));
    assert_eq!(Identity::open(&key(1), &[0; 32], &sealed.sealed), Err(SealError::Commitment));
    assert_eq!(Identity::open(&key(2), &sealed.commitment, &sealed.sealed), Err(SealError::Open));
}

#[test]
fn fingerprints_and_search_keys_are_the_countys_own() {
    let cook = CountyKey::generate(&county("cook"), &SeededEntropy::new(1)).unwrap();
    let kane = CountyKey::generate(&county("kane"), &SeededEntropy::new(1)).unwrap();
    assert_eq!(cook.fingerprint("RecordDetainer", b"c"), cook.fingerprint("RecordDetainer", b"c"));
    assert_ne!(cook.fingerprint("RecordDetainer", b"c"), cook.fingerprint("LiftDetainer", b"c"));
    assert_ne!(cook.fingerprint("RecordDetainer", b"c"), cook.fingerprint("RecordDetainer", b"d"));
    assert_ne!(cook.fingerprint("RecordDetainer", b"c"), kane.fingerprint("RecordDetainer", b"c"));
    // Method and command cannot flow into one another.
    assert_ne!(cook.fingerprint("ab", b"c"), cook.fingerprint("a", b"bc"));
    let keys = somebody().search_keys(&cook);
    assert_eq!(keys.a_number, Some(cook.search(SearchField::ANumber, "098765432")));
    assert_ne!(keys.a_number, Some(cook.search(SearchField::LocalId, "098765432")));
    assert_ne!(keys, somebody().search_keys(&kane));
    let shouted = Identity { family: "CANARYFAMILY".into(), middle: String::new(), ..somebody() };
    assert_eq!(shouted.search_keys(&cook).name, keys.name);
    let swapped = Identity { family: somebody().given, given: somebody().family, ..somebody() };
    assert_ne!(swapped.search_keys(&cook).name, keys.name);
    assert_eq!(Identity::default().search_keys(&cook), SearchKeys::default());
}

#[test]
fn a_numbers() {
    for (told, expected) in [
        ("A 012 345 678", Ok("012345678")),
        ("a12-345-678", Ok("012345678")),
        ("A#012345678", Ok("012345678")),
        ("1234567", Ok("001234567")),
        (" 212345678 ", Ok("212345678")),
        ("", Ok("")),
        ("  ", Ok("")),
        ("A", Err(())),
        ("123456", Err(())),
        ("1234567890", Err(())),
        ("A01234567B", Err(())),
        ("AA12345678", Err(())),
        ("A٠١٢٣٤٥٦٧٨", Err(())),
    ] {
        assert_eq!(a_number(told).map_err(|_| ()), expected.map(str::to_owned), "{told:?}");
    }
}

#[test]
fn normalising_names_every_wrong_field() {
    let told = Identity {
        family: "  de   la Cruz\t".into(),
        a_number: "A 12-345-678".into(),
        fbi_number: "123 45ab-1".into(),
        state_id: "tx 0123 4567".into(),
        ..somebody()
    };
    let clean = told.normalised(day("2024-01-01")).unwrap();
    assert_eq!(
        (clean.family.as_str(), clean.a_number.as_str(), clean.fbi_number.as_str(), clean.state_id.as_str()),
        ("de la Cruz", "012345678", "12345AB1", "TX01234567")
    );
    assert_eq!(clean.normalised(day("2024-01-01")), Ok(clean.clone()), "normalising again changes nothing");
    let wrong = Identity {
        family: "x".repeat(101),
        given: "a\u{0}b".into(),
        middle: "a\u{202e}b".into(),
        birth_date: Some(day("2024-01-02")),
        a_number: "12".into(),
        fbi_number: "1234567890".into(),
        state_id: "TX/1".into(),
    };
    let said: Vec<String> = wrong.normalised(day("2024-01-01")).unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "family is longer than 100 characters",
            "given holds characters that cannot be printed",
            "middle holds characters that cannot be printed",
            "a_number is not an A-number: seven to nine digits, after an A or not",
            "fbi_number is not an FBI number: up to 9 letters and digits",
            "state_id is not a state number: up to 20 letters and digits",
            "birth_date is not a date of birth",
        ]
    );
    assert!(Identity::default().normalised(day("2024-01-01")).unwrap().is_empty());
}

#[test]
fn ages() {
    let born = |text| Identity { birth_date: Some(day(text)), ..Identity::default() };
    for (birth, on, age) in [
        ("2000-05-10", "2018-05-09", Some(17)),
        ("2000-05-10", "2018-05-10", Some(18)),
        ("2000-02-29", "2018-02-28", Some(17)),
        ("2000-02-29", "2018-03-01", Some(18)),
        ("2000-02-29", "2000-02-28", None),
    ] {
        assert_eq!(born(birth).age_on(day(on)), age, "{birth} {on}");
    }
    assert_eq!(Identity::default().age_on(day("2018-03-01")), None);
}

#[test]
fn nothing_of_a_person_or_a_key_is_printed() {
    let key = key(1);
    let county = CountyKey::generate(&county("cook"), &SeededEntropy::new(1)).unwrap();
    let said = format!(
        "{:?} {:#?} {:?} {:?} {:?} {:?} {:?}",
        somebody(),
        somebody(),
        key,
        county,
        master(),
        Opaque::new(&master()),
        somebody().search_keys(&county)
    );
    let expected = "Identity(..) Identity(..) SubjectKey(Key(..)) CountyKey(Key(..)) MasterKey(..) Opaque(..) SearchKeys(..)";
    assert_eq!(said, expected);
}

#[test]
fn the_master_key_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    assert!(matches!(MasterKey::load(&path), Err(MasterKeyError::File { .. })));
    let (made, new) = MasterKey::load_or_create(&path, &OsEntropy).unwrap();
    assert!(new);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left behind");
    let (again, new) = MasterKey::load_or_create(&path, &OsEntropy).unwrap();
    assert!(!new);
    assert_eq!(made.id(), again.id());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(MasterKey::load_or_create(&path, &OsEntropy), Err(MasterKeyError::Open { .. })));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&path, "not a key").unwrap();
    assert!(matches!(MasterKey::load_or_create(&path, &OsEntropy), Err(MasterKeyError::Form)));
    std::fs::write(&path, [7_u8; 32]).unwrap();
    let hex = MasterKey::from_hex(&format!(" {}\n", "07".repeat(32))).unwrap();
    assert_eq!(MasterKey::load(&path).unwrap().id(), hex.id());
}

#[test]
fn starting_together_gives_one_master_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    let start = || MasterKey::load_or_create(&path, &OsEntropy).map(|(key, new)| (key.id(), new)).unwrap();
    let all: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(all.iter().filter(|(_, new)| *new).count(), 1);
    assert!(all.iter().all(|(id, _)| *id == all[0].0));
}

#[test]
fn tokens() {
    let token = new_token(&OsEntropy).unwrap();
    assert!(is_token(&token));
    assert_ne!(*token, *new_token(&OsEntropy).unwrap());
    for bad in ["", PREFIX, &token[1..], &token.to_uppercase(), &format!("{}0", &*token), &token[..token.len() - 1]] {
        assert!(!is_token(bad), "{bad}");
    }
    assert_eq!(token_hash(&token), token_hash(&token));
    assert_ne!(token_hash(&token), token_hash(&token[1..]));
    assert!(same(b"abc", b"abc"));
    assert!(!same(b"abc", b"abd"));
    assert!(!same(b"abc", b"ab"));
}

#[test]
fn seeded_entropy_depends_on_seed_purpose_and_count_alone() {
    let (a, b) = (SeededEntropy::new(1), SeededEntropy::new(1));
    let draw = |from: &SeededEntropy, what| random::<40>(from, what).unwrap();
    let (one, two) = (draw(&a, "x"), draw(&a, "x"));
    assert_ne!(one, two);
    assert_ne!(one[..8], one[32..]);
    draw(&b, "y");
    assert_eq!([draw(&b, "x"), draw(&b, "x")], [one, two]);
    assert_ne!(draw(&SeededEntropy::new(2), "x"), one);
}

proptest! {
    #[test]
    fn opaque_texts_come_back_only_unchanged_and_to_their_place(
        bytes in proptest::collection::vec(any::<u8>(), 0..80), at: prop::sample::Index, bit in 0..6_u8, noise in ".{0,40}",
    ) {
        let opaque = Opaque::new(&master());
        let text = opaque.seal("ListHolds cook", &bytes);
        prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        prop_assert_eq!(&opaque.open("ListHolds cook", &text), &Ok(bytes));
        prop_assert_eq!(opaque.open("ListHolds kane", &text), Err(BadOpaque));
        let other = Opaque::new(&MasterKey::from_hex(&"ab".repeat(32)).unwrap());
        prop_assert_eq!(other.open("ListHolds cook", &text), Err(BadOpaque));
        let mut changed = text.into_bytes();
        let n = at.index(changed.len());
        changed[n] ^= 1 << bit;
        if let Ok(changed) = String::from_utf8(changed) {
            prop_assert_eq!(opaque.open("ListHolds cook", &changed), Err(BadOpaque));
        }
        prop_assert_eq!(opaque.open("ListHolds cook", &noise), Err(BadOpaque));
    }

    #[test]
    fn any_text_is_normalised_or_refused_without_panic(text in "\\PC{0,30}") {
        let told = Identity { family: text.clone(), a_number: text.clone(), fbi_number: text.clone(), state_id: text, ..Identity::default() };
        if let Ok(clean) = told.normalised(day("2024-01-01")) {
            prop_assert_eq!(clean.normalised(day("2024-01-01")), Ok(clean));
        }
    }
}
