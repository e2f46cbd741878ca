//! The evaluator on trees and layers: each leaf's values, Kleene logic, what decides.

use super::super::agreement::MinimumCoverage;
use super::super::decision::{Outcome, Reason};
use super::super::detainer::{DocumentKind, Edition};
use super::super::facts::{
    AgeYears, Charge, Conviction, Disposition, Fact, JudicialWarrant, OrderSigner, Paper, PaperKind, Question, RecordsCheck,
    Status, Tri,
};
use super::super::ids::AgreementId;
use super::super::testing::{day, revision};
use super::*;

fn inputs() -> Inputs {
    Inputs {
        edition: Edition::I247D,
        asks_hold: true,
        status_proof: false,
        facially_sufficient: Tri::Yes,
        guarantee_all: None,
        guarantee_any: None,
        review_declined: false,
        reservation_failed: false,
        exhausted: Vec::new(),
        day: Some(day("2016-06-15")),
        served: false,
        documents: Vec::new(),
        doubtful: Vec::new(),
        facts: Vec::new(),
        layers: Vec::new(),
        overridden: None,
    }
}

fn with(facts: &[Fact]) -> Inputs {
    let facts = facts.iter().zip(1..).map(|(fact, n)| ReadFact { n, fact: fact.clone() }).collect();
    Inputs { facts, ..inputs() }
}

fn conviction(class: &str, convicted: &str, released: Option<&str>) -> Conviction {
    Conviction {
        classes: if class.is_empty() { Vec::new() } else { vec![class.into()] },
        convicted: Some(day(convicted)),
        released: released.map(day),
        serving: false,
        written_proof: false,
        this_booking: false,
    }
}

fn convicted(class: &str, on: &str) -> Fact {
    Fact::Conviction(conviction(class, on, None))
}

fn charge(class: &str, found: Tri, bail: Tri) -> Fact {
    Fact::Charge(Charge { classes: vec![class.into()], code: "".into(), probable_cause: found, bail_granted: bail })
}

fn paper(kind: PaperKind) -> Fact {
    Fact::Paper(Paper { kind, signed: None, sha256: None, detainer: None })
}

fn status(question: Question, answer: Tri, lists: &[&str], signer: Option<OrderSigner>) -> Fact {
    Fact::Status(Status { question, answer, signer, lists: lists.iter().map(|list| (*list).into()).collect() })
}

const CHECKED: Fact = Fact::RecordsCheck(RecordsCheck { convictions: true, charges: true });

fn of(class: &str) -> ConvictionLeaf {
    ConvictionLeaf { classes: vec![class.into()], ..ConvictionLeaf::default() }
}

fn back(conviction_years: Option<u32>, release_years: Option<u32>, tolled: bool) -> ConvictionLeaf {
    ConvictionLeaf { within: Some(LookBack { conviction_years, release_years, tolled }), ..of("violent") }
}

fn asks(question: Question, lists: &[&str], signers: &[OrderSigner]) -> Leaf {
    Leaf::Status(StatusLeaf { question, lists: lists.iter().map(|list| (*list).into()).collect(), signers: signers.to_vec() })
}

#[test]
fn leaves_about_documents_and_acts_are_false_until_recorded() {
    let warrant = |federal| Fact::JudicialWarrant(JudicialWarrant { federal, signed: None, court: "".into() });
    let attached = |kind| Inputs { documents: vec![kind], ..inputs() };
    let doubtful = |kind| Inputs { doubtful: vec![kind], ..inputs() };
    let guaranteed = Inputs { guarantee_any: Some(AgreementId::trusted("flat")), ..inputs() };
    let i200 = Leaf::AdministrativeWarrant(vec![WarrantKind::I200]);
    let cases = [
        (Leaf::JudicialWarrant(false), inputs(), Tri::No),
        (Leaf::JudicialWarrant(false), with(&[warrant(Tri::No)]), Tri::Yes),
        (Leaf::JudicialWarrant(true), with(&[warrant(Tri::No)]), Tri::No),
        (Leaf::JudicialWarrant(true), with(&[warrant(Tri::Unknown)]), Tri::Unknown),
        (Leaf::JudicialWarrant(true), with(&[warrant(Tri::Unknown), warrant(Tri::Yes)]), Tri::Yes),
        (Leaf::JudicialWarrant(false), attached(DocumentKind::JudicialWarrant), Tri::Yes),
        (Leaf::JudicialWarrant(true), attached(DocumentKind::JudicialWarrant), Tri::Unknown),
        (Leaf::ProbableCause, inputs(), Tri::No),
        (Leaf::ProbableCause, with(&[paper(PaperKind::ProbableCauseFinding)]), Tri::Yes),
        (Leaf::StateOrder, inputs(), Tri::No),
        (Leaf::StateOrder, with(&[paper(PaperKind::StateOrder)]), Tri::Yes),
        (i200.clone(), with(&[paper(PaperKind::I205)]), Tri::No),
        (i200.clone(), with(&[paper(PaperKind::I200)]), Tri::Yes),
        (i200.clone(), attached(DocumentKind::I200), Tri::Yes),
        // Signed or not: nobody knows.
        (i200.clone(), doubtful(DocumentKind::I200), Tri::Unknown),
        (i200.clone(), doubtful(DocumentKind::I205), Tri::No),
        (i200, Inputs { doubtful: vec![DocumentKind::I200], ..with(&[paper(PaperKind::I200)]) }, Tri::Yes),
        (Leaf::JudicialWarrant(false), doubtful(DocumentKind::JudicialWarrant), Tri::Unknown),
        (Leaf::BookingForm, doubtful(DocumentKind::I203), Tri::Unknown),
        (Leaf::FederalOrder, inputs(), Tri::No),
        (Leaf::FederalOrder, with(&[paper(PaperKind::FederalOrder)]), Tri::Yes),
        (Leaf::BookingForm, inputs(), Tri::No),
        (Leaf::BookingForm, with(&[paper(PaperKind::I203)]), Tri::Yes),
        (Leaf::BookingForm, attached(DocumentKind::I203), Tri::Yes),
        (Leaf::Guaranteed(MinimumCoverage::Any), inputs(), Tri::No),
        (Leaf::Guaranteed(MinimumCoverage::Any), guaranteed.clone(), Tri::Yes),
        (Leaf::Guaranteed(MinimumCoverage::AllCosts), guaranteed, Tri::No),
        (Leaf::FormEdition(vec![Edition::I247D, Edition::I247A]), inputs(), Tri::Yes),
        (Leaf::FormEdition(vec![Edition::I247A]), inputs(), Tri::No),
        (Leaf::FaciallySufficient, Inputs { facially_sufficient: Tri::Unknown, ..inputs() }, Tri::Unknown),
        (Leaf::StatusProof, inputs(), Tri::No),
        (Leaf::StatusProof, Inputs { status_proof: true, ..inputs() }, Tri::Yes),
        (Leaf::Served, inputs(), Tri::No),
        (Leaf::Served, Inputs { served: true, ..inputs() }, Tri::Yes),
        (Leaf::Constant(true), inputs(), Tri::Yes),
    ];
    for (n, (leaf, inputs, value)) in cases.into_iter().enumerate() {
        assert_eq!(leaf.value(&inputs), value, "case {n}: {}", leaf.label());
    }
}

#[test]
fn leaves_about_history_and_status_are_unknown_until_recorded() {
    let twice = ConvictionLeaf { at_least: 2, ..of("violent") };
    let serving = ConvictionLeaf { serving: true, ..of("violent") };
    let written = ConvictionLeaf { written_proof: true, ..of("violent") };
    let youth = ConvictionLeaf { except: vec!["youth".into()], ..ConvictionLeaf::default() };
    let proved = Fact::Conviction(Conviction { written_proof: true, ..conviction("violent", "2001-01-01", None) });
    let serves = Fact::Conviction(Conviction { serving: true, ..conviction("violent", "2001-01-01", None) });
    let here = Fact::Conviction(Conviction { this_booking: true, ..conviction("violent", "2016-01-01", None) });
    let pending = ChargeLeaf { classes: vec!["felony".into()], ..ChargeLeaf::default() };
    let found = ChargeLeaf { magistrate_found: true, ..pending.clone() };
    let unbailed = ChargeLeaf { without_bail: true, ..pending.clone() };
    let felony = charge("felony", Tri::Unknown, Tri::Yes);
    let ended = |charge| Fact::Disposition(Disposition { acquitted: false, charge });
    let judge = [OrderSigner::ImmigrationJudge];
    let (sex, arson) = ("ca_sex", "ca_arson");
    let registry = || asks(Question::Registry, &[sex], &[]);
    let told = |answer, lists: &[&str]| status(Question::Registry, answer, lists, None);
    let cases = [
        (Leaf::Conviction(of("violent")), vec![], Tri::Unknown),
        (Leaf::Conviction(of("violent")), vec![CHECKED], Tri::No),
        (Leaf::Conviction(of("violent")), vec![convicted("violent", "1990-01-01")], Tri::Yes),
        (Leaf::Conviction(of("violent")), vec![convicted("theft", "1990-01-01")], Tri::Unknown),
        (Leaf::Conviction(of("violent")), vec![convicted("theft", "1990-01-01"), CHECKED], Tri::No),
        (Leaf::Conviction(of("violent")), vec![convicted("", "1990-01-01"), CHECKED], Tri::Unknown),
        (Leaf::Conviction(twice.clone()), vec![convicted("violent", "1990-01-01"), CHECKED], Tri::No),
        (Leaf::Conviction(twice), vec![convicted("violent", "1990-01-01"), convicted("violent", "1991-01-01")], Tri::Yes),
        (Leaf::Conviction(serving.clone()), vec![convicted("violent", "2001-01-01"), CHECKED], Tri::No),
        (Leaf::Conviction(serving), vec![serves.clone()], Tri::Yes),
        (Leaf::Conviction(written.clone()), vec![], Tri::No),
        (Leaf::Conviction(written.clone()), vec![convicted("violent", "2001-01-01")], Tri::No),
        (Leaf::Conviction(written), vec![proved], Tri::Yes),
        (Leaf::Conviction(youth.clone()), vec![convicted("youth", "2001-01-01"), CHECKED], Tri::No),
        (Leaf::Conviction(youth), vec![convicted("theft", "2001-01-01")], Tri::Yes),
        // Ten years from the conviction: the anniversary is the first day not covered.
        (Leaf::Conviction(back(Some(10), None, false)), vec![convicted("violent", "2006-06-15"), CHECKED], Tri::No),
        (Leaf::Conviction(back(Some(10), None, false)), vec![convicted("violent", "2006-06-16"), CHECKED], Tri::Yes),
        // Ten from the conviction or five from the release, whichever is later.
        (
            Leaf::Conviction(back(Some(10), Some(5), false)),
            vec![Fact::Conviction(conviction("violent", "2000-01-01", Some("2012-01-01"))), CHECKED],
            Tri::Yes,
        ),
        (
            Leaf::Conviction(back(Some(10), Some(5), false)),
            vec![Fact::Conviction(conviction("violent", "2000-01-01", Some("2011-06-15"))), CHECKED],
            Tri::No,
        ),
        // A day after the decision's, 2016-06-15, counts as one that is not known.
        (Leaf::Conviction(back(Some(10), None, false)), vec![convicted("violent", "2016-06-16"), CHECKED], Tri::Unknown),
        (Leaf::Conviction(back(Some(10), None, false)), vec![convicted("violent", "2016-06-15"), CHECKED], Tri::Yes),
        (
            Leaf::Conviction(back(None, Some(5), false)),
            vec![Fact::Conviction(conviction("violent", "2000-01-01", Some("2081-01-01"))), CHECKED],
            Tri::Unknown,
        ),
        // The release is not known.
        (Leaf::Conviction(back(Some(10), Some(5), false)), vec![convicted("violent", "2000-01-01"), CHECKED], Tri::Unknown),
        // Six years served do not count.
        (
            Leaf::Conviction(back(Some(10), None, true)),
            vec![Fact::Conviction(conviction("violent", "2001-01-01", Some("2007-01-01"))), CHECKED],
            Tri::Yes,
        ),
        (
            Leaf::Conviction(back(Some(10), None, false)),
            vec![Fact::Conviction(conviction("violent", "2001-01-01", Some("2007-01-01"))), CHECKED],
            Tri::No,
        ),
        (Leaf::Conviction(back(None, Some(5), false)), vec![serves], Tri::Yes),
        (Leaf::PriorConviction, vec![], Tri::Unknown),
        (Leaf::PriorConviction, vec![CHECKED], Tri::No),
        (Leaf::PriorConviction, vec![here.clone()], Tri::Unknown),
        (Leaf::PriorConviction, vec![here, convicted("theft", "1990-01-01")], Tri::Yes),
        (Leaf::PendingCharge(pending.clone()), vec![], Tri::Unknown),
        (Leaf::PendingCharge(pending.clone()), vec![CHECKED], Tri::No),
        (Leaf::PendingCharge(pending.clone()), vec![felony.clone()], Tri::Yes),
        (Leaf::PendingCharge(pending.clone()), vec![felony.clone(), ended(1), CHECKED], Tri::No),
        (Leaf::PendingCharge(pending.clone()), vec![felony.clone(), ended(7), CHECKED], Tri::Yes),
        (Leaf::PendingCharge(pending), vec![felony.clone(), ended(0), CHECKED], Tri::Unknown),
        (Leaf::PendingCharge(found.clone()), vec![felony.clone(), CHECKED], Tri::Unknown),
        (Leaf::PendingCharge(found), vec![charge("felony", Tri::Yes, Tri::Yes)], Tri::Yes),
        (Leaf::PendingCharge(unbailed), vec![felony, CHECKED], Tri::No),
        (Leaf::AgeAtLeast(18), vec![], Tri::Unknown),
        (Leaf::AgeAtLeast(18), vec![Fact::AgeYears(AgeYears { years: 17 })], Tri::No),
        (Leaf::AgeAtLeast(18), vec![Fact::AgeYears(AgeYears { years: 17 }), Fact::AgeYears(AgeYears { years: 18 })], Tri::Yes),
        (registry(), vec![], Tri::Unknown),
        (registry(), vec![told(Tri::Yes, &[sex])], Tri::Yes),
        (registry(), vec![told(Tri::Yes, &[arson])], Tri::Unknown),
        (registry(), vec![told(Tri::Yes, &[])], Tri::Unknown),
        (registry(), vec![told(Tri::No, &[])], Tri::No),
        (registry(), vec![told(Tri::Yes, &[sex]), told(Tri::No, &[])], Tri::No),
        (registry(), vec![told(Tri::No, &[]), told(Tri::Yes, &[sex])], Tri::Yes),
        (asks(Question::Registry, &[], &[]), vec![told(Tri::Yes, &[arson])], Tri::Yes),
        (asks(Question::Registry, &[], &[]), vec![told(Tri::Yes, &[arson]), told(Tri::No, &[])], Tri::No),
        (asks(Question::Registry, &[], &[]), vec![told(Tri::No, &[arson])], Tri::Unknown),
        (asks(Question::Registry, &[sex, arson], &[]), vec![told(Tri::No, &[arson]), told(Tri::Yes, &[sex])], Tri::Yes),
        (
            asks(Question::FinalOrder, &[], &judge),
            vec![status(Question::FinalOrder, Tri::Yes, &[], Some(OrderSigner::ImmigrationOfficer))],
            Tri::No,
        ),
        (asks(Question::FinalOrder, &[], &judge), vec![status(Question::FinalOrder, Tri::Yes, &[], None)], Tri::Unknown),
        (
            asks(Question::FinalOrder, &[], &judge),
            vec![status(Question::FinalOrder, Tri::Yes, &[], Some(OrderSigner::ImmigrationJudge))],
            Tri::Yes,
        ),
        (asks(Question::PendingCase, &[], &[]), vec![status(Question::PriorRemoval, Tri::Yes, &[], None)], Tri::Unknown),
    ];
    for (n, (leaf, facts, value)) in cases.into_iter().enumerate() {
        assert_eq!(leaf.value(&with(&facts)), value, "case {n}: {}", leaf.label());
    }
}

fn leaf(value: Tri) -> Condition {
    Condition::Leaf(match value {
        Tri::Yes => Leaf::Constant(true),
        Tri::No => Leaf::Constant(false),
        Tri::Unknown => Leaf::AgeAtLeast(18),
    })
}

#[test]
fn kleene_logic_throughout() {
    let values = [Tri::No, Tri::Unknown, Tri::Yes];
    for a in values {
        assert_eq!(Condition::Not(Box::new(leaf(a))).value(&inputs()), !a);
        for b in values {
            let parts = || vec![leaf(a), leaf(b)];
            assert_eq!(Condition::All(parts()).value(&inputs()), a.min(b));
            assert_eq!(Condition::Any(parts()).value(&inputs()), a.max(b));
            assert_eq!(Condition::All(parts()).explain(&inputs()).value, a.min(b));
            assert_eq!(Condition::Any(parts()).explain(&inputs()).value, a.max(b));
        }
    }
}

fn conditional(rule: Tri, layers: &[(LayerKind, Effect, Tri)]) -> (Revision, Inputs) {
    let layers: Vec<Layer> = layers
        .iter()
        .map(|(kind, effect, value)| Layer {
            kind: *kind,
            effect: *effect,
            instrument: Instrument { title: "A law".into(), citation: "".into(), date: None, sha256: None },
            from: None,
            until: None,
            condition: leaf(*value),
        })
        .collect();
    let inputs = Inputs { layers: (0..).take(layers.len()).collect(), ..inputs() };
    (Revision { condition: Some(leaf(rule)), layers, ..revision("r", Mode::Conditional) }, inputs)
}

#[test]
fn the_first_layer_that_is_not_silent_decides() {
    use Effect::{Ceiling, Mandate};
    use LayerKind::{CourtOrder, State};
    use Outcome::{Decline, Honor, NeedsReview};
    use Tri::{No, Unknown, Yes};
    let cases = [
        (Yes, vec![], Honor, Reason::RuleSatisfied),
        (No, vec![], Decline, Reason::RuleNotSatisfied),
        (Unknown, vec![], NeedsReview, Reason::RuleUnknown),
        (Yes, vec![(State, Ceiling, Yes)], Decline, Reason::StateCeiling),
        (Yes, vec![(State, Ceiling, No)], Honor, Reason::RuleSatisfied),
        (No, vec![(State, Mandate, Yes)], Honor, Reason::StateMandate),
        (No, vec![(State, Mandate, No)], Decline, Reason::RuleNotSatisfied),
        // An unknown ceiling matters only where the rest would hold.
        (Yes, vec![(State, Ceiling, Unknown)], NeedsReview, Reason::RuleUnknown),
        (No, vec![(State, Ceiling, Unknown)], Decline, Reason::RuleNotSatisfied),
        (Unknown, vec![(State, Ceiling, Unknown)], NeedsReview, Reason::RuleUnknown),
        // An unknown mandate asks for a review, whatever lies below.
        (Yes, vec![(State, Mandate, Unknown)], NeedsReview, Reason::RuleUnknown),
        (No, vec![(State, Mandate, Unknown)], NeedsReview, Reason::RuleUnknown),
        // What binds more decides first.
        (No, vec![(CourtOrder, Ceiling, Yes), (State, Mandate, Yes)], Decline, Reason::CourtOrder),
        (No, vec![(CourtOrder, Mandate, Yes), (State, Ceiling, Yes)], Honor, Reason::CourtOrder),
        (Yes, vec![(CourtOrder, Ceiling, No), (State, Ceiling, Yes)], Decline, Reason::StateCeiling),
        (Yes, vec![(CourtOrder, Ceiling, Unknown), (State, Ceiling, Yes)], Decline, Reason::StateCeiling),
        (Unknown, vec![(State, Ceiling, Yes)], Decline, Reason::StateCeiling),
        (Unknown, vec![(State, Mandate, Yes)], Honor, Reason::StateMandate),
    ];
    for (n, (rule, layers, outcome, reason)) in cases.into_iter().enumerate() {
        let (revision, inputs) = conditional(rule, &layers);
        let answer = evaluate(Some(&revision), &inputs);
        assert_eq!((answer.outcome, answer.reason), (outcome, reason), "case {n}");
        assert_eq!(answer.explanation.layers.len(), layers.len() + 1, "case {n}");
        assert_eq!(answer.explanation.layers.iter().filter(|layer| layer.decided).count(), 1, "case {n}");
        assert_eq!(
            (answer.notify, answer.transfer),
            (outcome == Honor, outcome == Honor),
            "case {n}: CONDITIONAL states no notice"
        );
    }
}

#[test]
fn an_override_reaches_the_county_rule_only() {
    use Effect::{Ceiling, Mandate};
    let says = |rule, layers: &[_], overridden, change: fn(&mut Inputs)| {
        let (revision, mut inputs) = conditional(rule, layers);
        inputs.overridden = Some(overridden);
        change(&mut inputs);
        let answer = evaluate(Some(&revision), &inputs);
        (answer.outcome, answer.reason)
    };
    let same = |_: &mut Inputs| {};
    let state = LayerKind::State;
    assert_eq!(says(Tri::No, &[], true, same), (Outcome::Honor, Reason::Overridden));
    assert_eq!(says(Tri::Yes, &[], false, same), (Outcome::Decline, Reason::Overridden));
    assert_eq!(says(Tri::No, &[(state, Ceiling, Tri::Yes)], true, same), (Outcome::Decline, Reason::StateCeiling));
    assert_eq!(says(Tri::No, &[(state, Ceiling, Tri::Unknown)], true, same), (Outcome::NeedsReview, Reason::RuleUnknown));
    assert_eq!(says(Tri::Yes, &[(state, Mandate, Tri::Yes)], false, same), (Outcome::Honor, Reason::StateMandate));
    assert_eq!(says(Tri::No, &[], true, |i| i.status_proof = true), (Outcome::NeedsReview, Reason::StatusProof));
    assert_eq!(says(Tri::No, &[], true, |i| i.asks_hold = false), (Outcome::Decline, Reason::NoHoldRequested));
    let unread = |i: &mut Inputs| (i.edition, i.facially_sufficient) = (Edition::I247A, Tri::No);
    assert_eq!(says(Tri::No, &[], true, unread), (Outcome::Decline, Reason::FaciallyInsufficient));
}

#[test]
fn a_tree_rests_on_an_agreement_only_where_it_needs_one() {
    let guaranteed = Condition::Leaf(Leaf::Guaranteed(MinimumCoverage::Any));
    let age = || Condition::Leaf(Leaf::AgeAtLeast(18));
    let either =
        Revision { condition: Some(Condition::Any(vec![age(), guaranteed.clone()])), ..revision("r", Mode::Conditional) };
    let both = Revision { condition: Some(Condition::All(vec![age(), guaranteed])), ..revision("r", Mode::Conditional) };
    let agreement = AgreementId::trusted("letter");
    let of_age = |years, promised: bool| {
        let guarantee_any = promised.then(|| agreement.clone());
        Inputs { guarantee_any, ..with(&[Fact::AgeYears(AgeYears { years })]) }
    };
    let under = |revision: &Revision, inputs: &Inputs| {
        let answer = evaluate(Some(revision), inputs);
        (answer.reason, answer.agreement)
    };
    assert_eq!(under(&either, &of_age(30, true)), (Reason::RuleSatisfied, None));
    assert_eq!(under(&either, &of_age(17, true)), (Reason::RuleSatisfied, Some(agreement.clone())));
    assert_eq!(under(&both, &of_age(30, true)), (Reason::RuleSatisfied, Some(agreement.clone())));
    assert_eq!(under(&both, &of_age(30, false)), (Reason::NoGuarantee, None));
    assert_eq!(under(&both, &of_age(17, false)), (Reason::RuleNotSatisfied, None));
}

#[test]
fn notice_and_transfer_are_answers_of_their_own() {
    let warrant = || Condition::Leaf(Leaf::JudicialWarrant(false));
    let rule = Revision { notify_where: Some(warrant()), transfer_where: Some(warrant()), ..revision("r", Mode::DeclineAll) };
    let told = with(&[Fact::JudicialWarrant(JudicialWarrant { federal: Tri::No, signed: None, court: "".into() })]);
    let answer = evaluate(Some(&rule), &told);
    assert_eq!((answer.outcome, answer.notify, answer.transfer), (Outcome::Decline, true, true));
    let answer = evaluate(Some(&rule), &inputs());
    assert_eq!((answer.outcome, answer.notify, answer.transfer), (Outcome::Decline, false, false));
    // On NEEDS_REVIEW nobody is told.
    let proved = Inputs { status_proof: true, ..told };
    let answer = evaluate(Some(&rule), &proved);
    assert_eq!((answer.outcome, answer.notify, answer.transfer), (Outcome::NeedsReview, false, false));
}

#[test]
fn what_no_rule_may_be() {
    let yes = || Condition::Leaf(Leaf::Constant(true));
    let age = |years| Condition::Leaf(Leaf::AgeAtLeast(years));
    let not = |condition| Condition::Not(Box::new(condition));
    let deep = (0..Limits::DEPTH).fold(age(18), |inner, n| if n % 2 == 0 { Condition::All(vec![inner]) } else { not(inner) });
    let forms = |edition| Condition::Leaf(Leaf::FormEdition(vec![edition]));
    let many = Condition::Any((0..51).map(|n| age(n + 1)).collect());
    let wide = Condition::Any((0..5).map(|m| Condition::All((1..=45).map(|n| age(n + m)).collect())).collect());
    let empty =
        Condition::Leaf(Leaf::Conviction(ConvictionLeaf { within: Some(LookBack::default()), ..ConvictionLeaf::default() }));
    let none_left = Condition::Leaf(Leaf::PendingCharge(ChargeLeaf {
        classes: vec!["felony".into()],
        except: vec!["felony".into()],
        ..ChargeLeaf::default()
    }));
    let cases = [
        (Condition::All(vec![]), "condition.all", "empty"),
        (Condition::Any(vec![yes(), age(18)]), "condition.any[0]", "decides alone"),
        (Condition::All(vec![age(18), yes()]), "condition.all[1]", "changes nothing"),
        (Condition::All(vec![age(18), age(18)]), "condition.all[1]", "says the same as condition.all[0]"),
        (Condition::Any(vec![age(18), not(age(18))]), "condition.any[1]", "always true"),
        (Condition::All(vec![age(18), not(age(16))]), "condition.all[1]", "contradicts condition.all[0]"),
        (Condition::All(vec![forms(Edition::I247A), forms(Edition::I247D)]), "condition.all[1]", "contradicts"),
        (not(not(age(18))), "condition.not", "twice"),
        (deep, "condition", "deeper than 12"),
        (many, "condition.any", "at most 50"),
        (wide, "condition", "at most 200"),
        (age(0), "condition.age_at_least", "1 to 150"),
        (Condition::Leaf(Leaf::AdministrativeWarrant(vec![])), "condition.administrative_warrant.kinds", "empty"),
        (empty, "condition.conviction.within", "needs"),
        (none_left, "condition.pending_charge.except_classes", "takes away every class"),
        (asks_for(Question::PendingCase, &["x"]), "condition.status.lists", "goes only with"),
    ];
    for (n, (condition, node, why)) in cases.into_iter().enumerate() {
        let rule = Revision { condition: Some(condition), ..revision("r", Mode::Conditional) };
        let faults = check(&rule);
        let named = faults.iter().any(|(at, told)| at.starts_with(node) && told.contains(why));
        assert!(named, "case {n}: {node} {why}, not {faults:?}");
    }
    assert_eq!(check(&Revision { condition: Some(age(18)), ..revision("r", Mode::Conditional) }), []);
    for mode in [Mode::HonorAlways, Mode::RequireReimbursementGuarantee, Mode::DeclineAll, Mode::NotifyOnly] {
        assert_eq!(check(&revision("r", mode)), []);
        assert_eq!(check(&Revision { condition: Some(age(18)), ..revision("r", mode) }).len(), 1);
    }
    assert_eq!(check(&revision("r", Mode::Conditional)).len(), 1);
}

fn asks_for(question: Question, lists: &[&str]) -> Condition {
    Condition::Leaf(asks(question, lists, &[]))
}

/// What a form prints is not what the program allows: a limit is the county's to state.
#[test]
fn any_number_of_hours_is_a_limit() {
    use super::super::clock::Limit;
    use super::super::testing::{World, instant};
    use super::super::time::Zone;
    let zone: Zone = "America/New_York".parse().unwrap();
    for (hours, good) in [(0, false), (1, true), (24, true), (72, true), (720, true), (721, false)] {
        let now = instant("2024-03-01T12:00:00Z");
        let rule = Revision { limit: Limit::Hours(hours), ..revision("r", Mode::HonorAlways) };
        assert_eq!(World::new(zone, now).switch(rule, now).is_ok(), good, "{hours}");
    }
}

#[test]
fn layers_that_can_never_be_reached_are_named() {
    use Effect::Ceiling;
    let state = LayerKind::State;
    let (always, _) = conditional(Tri::Yes, &[(state, Ceiling, Tri::Yes), (state, Ceiling, Tri::Unknown)]);
    assert!(check(&always).iter().any(|(at, why)| at == "layers[1]" && why.contains("never be reached")));
    let (order, _) = conditional(Tri::Unknown, &[(state, Ceiling, Tri::Unknown), (LayerKind::CourtOrder, Ceiling, Tri::Unknown)]);
    assert!(check(&order).iter().any(|(at, _)| at == "layers[1].kind"));
    let (silent, _) = conditional(Tri::Unknown, &[(state, Ceiling, Tri::No)]);
    assert!(check(&silent).iter().any(|(at, _)| at == "layers[0].condition"));
}

/// What is read of the papers that came with a form.
#[test]
fn a_paper_that_nobody_signed_is_none() {
    use super::super::testing::{World, document, form, instant};
    use super::super::time::Zone;
    let zone: Zone = "America/New_York".parse().unwrap();
    let at = instant("2024-03-01T12:00:00Z");
    let mut world = World::new(zone, at);
    world.book("B", "s", None, at).unwrap();
    world.receive("B", "D", form(Edition::I247D), Some(at), at).unwrap();
    let rule = Revision {
        condition: Some(Condition::Leaf(Leaf::AdministrativeWarrant(vec![WarrantKind::I200]))),
        ..revision("r", Mode::Conditional)
    };
    let cases: [(&[Option<Tri>], Tri); 7] = [
        (&[], Tri::No),
        (&[None], Tri::Yes),
        (&[Some(Tri::Yes)], Tri::Yes),
        (&[Some(Tri::Unknown)], Tri::Unknown),
        (&[Some(Tri::No)], Tri::No),
        (&[Some(Tri::No), Some(Tri::Unknown)], Tri::Unknown),
        (&[Some(Tri::Unknown), Some(Tri::Yes)], Tri::Yes),
    ];
    for (signed, value) in cases {
        let papers = signed
            .iter()
            .map(|is_signed| super::super::detainer::Document { is_signed: *is_signed, ..document(DocumentKind::I200) });
        let mut detainer = world.detainer("B", "D").clone();
        detainer.form = super::super::detainer::Form { documents: papers.collect(), ..form(Edition::I247A) };
        let case = Case::read(&rule, zone, world.booking("B"), &detainer, at);
        let inputs = Inputs { documents: case.documents, doubtful: case.doubtful, ..inputs() };
        assert_eq!(rule.rule().value(&inputs), value, "{signed:?}");
        assert_eq!(detainer.form.facially_sufficient(), value, "{signed:?}");
    }
}

/// A later fact of the same kind and key takes the place of the earlier, from its effective time on.
#[test]
fn a_later_fact_replaces_an_earlier_one_of_its_kind_and_key() {
    use super::super::testing::{World, form, instant};
    use super::super::time::Zone;
    let zone: Zone = "America/New_York".parse().unwrap();
    let warrant = |federal, court: &str| Fact::JudicialWarrant(JudicialWarrant { federal, signed: None, court: court.into() });
    let once = || conviction("violent", "2001-01-01", None);
    let serves = || Fact::Conviction(Conviction { serving: true, ..once() });
    let left = || Fact::Conviction(Conviction { released: Some(day("2012-01-01")), ..once() });
    let twice = || Leaf::Conviction(ConvictionLeaf { at_least: 2, ..of("violent") });
    let serving = || Leaf::Conviction(ConvictionLeaf { serving: true, ..of("violent") });
    let found =
        || Leaf::PendingCharge(ChargeLeaf { classes: vec!["felony".into()], magistrate_found: true, ..ChargeLeaf::default() });
    let felony = |found| charge("felony", found, Tri::No);
    let ended = |charge| Fact::Disposition(Disposition { acquitted: false, charge });
    let cases = [
        (Leaf::JudicialWarrant(true), vec![warrant(Tri::Yes, "doc-1"), warrant(Tri::No, "doc-1")], Tri::No),
        (Leaf::JudicialWarrant(true), vec![warrant(Tri::Yes, "doc-1"), warrant(Tri::No, "doc-2")], Tri::Yes),
        (Leaf::JudicialWarrant(true), vec![warrant(Tri::Yes, ""), warrant(Tri::Unknown, "")], Tri::Unknown),
        (serving(), vec![CHECKED, serves(), left()], Tri::No),
        (serving(), vec![CHECKED, left(), serves()], Tri::Yes),
        (twice(), vec![CHECKED, serves(), left()], Tri::No),
        (twice(), vec![CHECKED, serves(), convicted("violent", "2002-01-01")], Tri::Yes),
        (found(), vec![CHECKED, felony(Tri::Yes), felony(Tri::No)], Tri::No),
        (found(), vec![CHECKED, felony(Tri::Yes), felony(Tri::Yes), ended(2)], Tri::No),
        (found(), vec![CHECKED, felony(Tri::Yes), ended(2), felony(Tri::Yes)], Tri::Yes),
    ];
    for (n, (leaf, facts, value)) in cases.into_iter().enumerate() {
        let start = instant("2024-03-01T12:00:00Z");
        let mut world = World::new(zone, start);
        world.book("B", "s", None, start).unwrap();
        world.receive("B", "D", form(Edition::I247D), Some(start), start).unwrap();
        for (fact, hour) in facts.into_iter().zip(1..) {
            let at = start.plus_us(hour * super::super::time::HOUR_US);
            world.at(at).fact("B", fact, at).unwrap();
        }
        let rule = Revision { condition: Some(Condition::Leaf(leaf)), ..revision("r", Mode::Conditional) };
        let case = Case::read(&rule, zone, world.booking("B"), world.detainer("B", "D"), world.now());
        let inputs = Inputs { facts: case.facts, ..inputs() };
        assert_eq!(rule.rule().value(&inputs), value, "case {n}");
    }
}

#[test]
fn a_conviction_whose_dates_cannot_be_so_is_refused() {
    use super::super::refusal::Why;
    use super::super::testing::{World, instant};
    use super::super::time::Zone;
    let zone: Zone = "America/New_York".parse().unwrap();
    // Five minutes later it is still the first of March in New York.
    let (start, now) = (instant("2024-03-01T12:00:00Z"), instant("2024-03-02T04:54:00Z"));
    let cases = [
        ("2024-03-01", None, false, None),
        ("2024-03-02", None, false, Some((Why::TimeInFuture, "facts[0].conviction.conviction_date"))),
        ("2001-01-01", Some("2081-01-01"), false, Some((Why::TimeInFuture, "facts[0].conviction.release_date"))),
        ("2001-01-02", Some("2001-01-01"), false, Some((Why::TimeOutOfOrder, "facts[0].conviction.release_date"))),
        ("2001-01-01", Some("2001-01-01"), false, None),
        ("2001-01-01", Some("2024-03-01"), true, Some((Why::TimeOutOfOrder, "facts[0].conviction.serving_now"))),
        ("2001-01-01", None, true, None),
    ];
    for (on, released, serving, refused) in cases {
        let mut world = World::new(zone, start);
        world.book("B", "s", None, start).unwrap();
        let told = Fact::Conviction(Conviction { serving, ..conviction("violent", on, released) });
        let answer = world.at(now).fact("B", told, now).err();
        assert_eq!(answer.as_ref().map(|no| (no.why, &*no.field)), refused, "{on} {released:?} {serving}");
    }
}
