use super::*;
use crate::domain::facts::SourceKind;
use proptest::prelude::*;

fn claim(claimed: i64) -> Claim {
    let lines = ClaimLines { count: 3, holds: 2, claimed: Cents::new(claimed), ..ClaimLines::default() };
    Claim {
        id: ClaimId::trusted("c"),
        agreement: AgreementId::trusted("a"),
        start: None,
        end: "2018-02-01".parse().unwrap(),
        through: 9,
        after: 0,
        window_days: None,
        lines,
        made: Instant::MIN,
        actor: "".into(),
        person: "".into(),
        entries: Vec::new(),
        seq: 10,
    }
}

/// Enters an act where it fits.
fn enter(claim: &mut Claim, act: ClaimAct, amount: Option<i64>, undoes: Option<u32>) -> Result<(), BadAct> {
    let amount = amount.map(Cents::new);
    claim.check(act, amount, undoes)?;
    let at = Stamp { effective: Instant::MIN, recorded: Instant::MIN, known: Instant::MIN, seq: 0 };
    let source = Source { kind: SourceKind::FederalAgency, reference: "".into() };
    let n = u32::try_from(claim.entries.len()).unwrap() + 1;
    let (actor, person): (Arc<str>, Arc<str>) = ("".into(), "".into());
    claim.entries.push(ClaimEntry { n, act, amount: amount.unwrap_or(Cents::ZERO), at, source, actor, person, undoes });
    Ok(())
}

use ClaimAct::{Billed, Denied, Disputed, Paid, Withdrawn, WrittenOff};

#[test]
fn what_acts_come_to() {
    // Paid, written off, open, denied, disputed.
    type Case<'a> = (&'a [(ClaimAct, i64)], [i64; 5], ClaimState);
    let cases: &[Case<'_>] = &[
        (&[], [0, 0, 100, 0, 0], ClaimState::Billed),
        (&[(Paid, 40)], [40, 0, 60, 0, 0], ClaimState::PartlySettled),
        (&[(Paid, 40), (Paid, 60)], [100, 0, 0, 0, 0], ClaimState::Settled),
        (&[(Denied, 30)], [0, 0, 70, 30, 0], ClaimState::Billed),
        (&[(Denied, 30), (Disputed, 20)], [0, 0, 70, 10, 20], ClaimState::Billed),
        // A denial upheld takes from what is disputed first, then from what is open.
        (&[(Denied, 30), (Disputed, 30), (Denied, 40)], [0, 0, 60, 40, 0], ClaimState::Billed),
        // A payment takes what is open, then what is disputed, then what is denied.
        (&[(Denied, 30), (Disputed, 20), (Paid, 75)], [75, 0, 0, 10, 15], ClaimState::PartlySettled),
        (&[(Denied, 30), (Disputed, 20), (Paid, 95)], [95, 0, 0, 5, 0], ClaimState::PartlySettled),
        (&[(Denied, 30), (Disputed, 20), (Paid, 70), (WrittenOff, 30)], [70, 30, 0, 0, 0], ClaimState::Settled),
        // A write-off takes what is denied, then what is disputed, then what is open.
        (&[(Denied, 30), (Disputed, 20), (WrittenOff, 15)], [0, 15, 70, 0, 15], ClaimState::PartlySettled),
    ];
    for (acts, expected, state) in cases {
        let mut claim = claim(100);
        enter(&mut claim, Billed, None, None).unwrap();
        for (act, amount) in *acts {
            enter(&mut claim, *act, Some(*amount), None).unwrap();
        }
        let found = claim.balance().unwrap();
        let found = [found.paid, found.written_off, found.open, found.denied, found.disputed].map(Cents::get);
        assert_eq!((found, claim.state().unwrap()), (*expected, *state), "{acts:?}");
    }
}

#[test]
fn what_does_not_fit() {
    type Acts<'a> = &'a [(ClaimAct, Option<i64>, Option<u32>)];
    let cases: &[(i64, Acts<'_>, &str)] = &[
        (100, &[(Paid, Some(1), None)], "the claim was not billed yet"),
        (100, &[(Billed, None, None), (Billed, None, None)], "the claim was billed already"),
        (100, &[(Billed, Some(100), None)], "must be left out: the act is about the whole claim"),
        (100, &[(Billed, None, None), (Withdrawn, None, None)], "the claim was billed already"),
        (100, &[(Withdrawn, None, None), (Billed, None, None)], "the claim was withdrawn: its lines are in a later one"),
        (100, &[(Billed, None, None), (Paid, Some(101), None)], "1.01 is more than the 1.00 that is outstanding"),
        (100, &[(Billed, None, None), (Disputed, Some(1), None)], "0.01 is more than the 0.00 that is denied"),
        (100, &[(Billed, None, None), (Paid, None, None)], "must be an amount above zero"),
        (100, &[(Billed, None, None), (Paid, Some(0), None)], "must be an amount above zero"),
        (100, &[(Billed, None, None), (Paid, Some(-5), None)], "must be an amount above zero"),
        (-100, &[(Billed, None, None), (Paid, Some(5), None)], "must be an amount below zero"),
        (-100, &[(Billed, None, None), (Paid, Some(-101), None)], "-1.01 is more than the -1.00 that is outstanding"),
        (
            100,
            &[(Billed, None, None), (Paid, None, Some(1))],
            "entry 1 is no payment, denial, dispute or write-off of this claim that still stands",
        ),
        (
            100,
            &[(Billed, None, None), (Paid, Some(5), None), (Denied, None, Some(2))],
            "entry 2 is no payment, denial, dispute or write-off of this claim that still stands",
        ),
        (
            100,
            &[(Billed, None, None), (Denied, Some(5), None), (Disputed, Some(5), None), (Denied, None, Some(2))],
            "entry 2 cannot be undone: later entries rest on it; undo those first",
        ),
        (
            100,
            &[(Billed, None, None), (Paid, Some(5), None), (Paid, None, Some(2)), (Paid, None, Some(2))],
            "entry 2 is no payment, denial, dispute or write-off of this claim that still stands",
        ),
    ];
    for (claimed, acts, why) in cases {
        let mut claim = claim(*claimed);
        let (last, before) = acts.split_last().unwrap();
        for (act, amount, undoes) in before {
            enter(&mut claim, *act, *amount, *undoes).unwrap();
        }
        let kept = claim.clone();
        let refused = enter(&mut claim, last.0, last.1, last.2).unwrap_err();
        assert_eq!(refused.to_string(), *why, "{acts:?}");
        assert_eq!(claim, kept);
    }
}

#[test]
fn a_payment_recorded_by_mistake_is_undone() {
    let mut claim = claim(100);
    enter(&mut claim, Billed, None, None).unwrap();
    enter(&mut claim, Paid, Some(60), None).unwrap();
    enter(&mut claim, Paid, None, Some(2)).unwrap();
    assert_eq!(claim.balance().unwrap(), Balance { open: Cents::new(100), ..Balance::default() });
    assert_eq!(claim.state(), Ok(ClaimState::Billed));
    enter(&mut claim, Paid, Some(100), None).unwrap();
    assert_eq!(claim.state(), Ok(ClaimState::Settled));
    assert_eq!(claim.entries.len(), 4, "nothing is taken out");
}

#[test]
fn a_claim_below_zero_is_settled_the_other_way() {
    let mut claim = claim(-100);
    enter(&mut claim, Billed, None, None).unwrap();
    enter(&mut claim, Denied, Some(-30), None).unwrap();
    enter(&mut claim, Paid, Some(-70), None).unwrap();
    let found = claim.balance().unwrap();
    assert_eq!((found.paid, found.denied, found.open), (Cents::new(-70), Cents::new(-30), Cents::ZERO));
    enter(&mut claim, WrittenOff, Some(-30), None).unwrap();
    assert_eq!(claim.state(), Ok(ClaimState::Settled));
}

#[test]
fn the_window_counts_days_after_the_end() {
    let day = |text: &str| text.parse::<Date>().unwrap();
    assert_eq!(last_day_to_file(day("2018-01-15"), 60), day("2018-03-16"));
    assert_eq!(last_day_to_file(day("2018-01-15"), 0), day("2018-01-15"));
    assert_eq!(last_day_to_file(day("2018-01-15"), u32::MAX), Date::MAX);
}

proptest! {
    /// Whatever is entered, accepted or refused: nothing is lost between the pots, and no pot falls below nothing.
    #[test]
    fn what_is_claimed_is_paid_given_up_or_outstanding(
        claimed in -300i64..300,
        acts in prop::collection::vec((0u8..4, -120i64..120, prop::option::weighted(0.2, 1u32..9)), 0..24),
    ) {
        let mut claim = claim(claimed);
        enter(&mut claim, Billed, None, None).unwrap();
        for (act, amount, undoes) in acts {
            let act = [Paid, Denied, Disputed, WrittenOff][usize::from(act)];
            let _ = enter(&mut claim, act, undoes.is_none().then_some(amount), undoes);
            let found = claim.balance().expect("what was let in adds up");
            let pots = [found.paid, found.written_off, found.open, found.denied, found.disputed].map(Cents::get);
            prop_assert_eq!(pots.iter().sum::<i64>(), claimed);
            prop_assert!(pots.iter().all(|pot| pot.signum() * claimed.signum() >= 0), "{:?}", pots);
            prop_assert_eq!(found.outstanding().unwrap().get(), found.open.get() + found.denied.get() + found.disputed.get());
            let settled = claim.state().unwrap() == ClaimState::Settled;
            prop_assert_eq!(settled, found.outstanding().unwrap() == Cents::ZERO);
        }
    }
}
