//! Every reason in plain words, in each language, as `golden/sentences.txt` has them. With `UPDATE_GOLDEN=1` the file is
//! written again.

use detainer::domain::agreement::MinimumCoverage;
use detainer::domain::clock::{ExclusionRule, Limit, StartRule};
use detainer::domain::decision::{Decision, Outcome, Reason};
use detainer::domain::detainer::{DocumentKind, Edition};
use detainer::domain::facts::{Fact, Question, StatusProof, Tri};
use detainer::domain::hypothetical::{Moment, Payer, Promise, Request, told};
use detainer::domain::ids::{AgreementId, FacilityId};
use detainer::domain::numbered::Numbered as _;
use detainer::domain::policy::{
    Answers, ChargeLeaf, Condition, ConvictionLeaf, Effect, FacialRule, Layer, LayerKind, Leaf, Mode, Revision, StatusLeaf,
};
use detainer::domain::sentences::{Language, Rests, sentences};
use detainer::domain::testing::{document, form, instant, instrument, revision};
use detainer::domain::time::Zone;
use std::fmt::Write as _;
use std::path::Path;

struct Case {
    what: &'static str,
    rule: Option<Revision>,
    activated: bool,
    request: Request,
    promise: Promise,
    change: fn(&mut Decision),
    over: bool,
}

fn zone() -> Zone {
    "America/New_York".parse().unwrap()
}

fn rule(mode: Mode) -> Revision {
    let mut rule = revision("r", mode);
    rule.instrument = instrument("Resolution R-1008-13");
    rule.instrument.citation = "R-1008-13".into();
    rule.effective.effective = instant("2014-01-01T05:00:00Z");
    rule
}

fn conditional(condition: Condition) -> Revision {
    Revision { condition: Some(condition), ..rule(Mode::Conditional) }
}

fn layered(kind: LayerKind, effect: Effect, title: &str, mode: Mode) -> Revision {
    let condition = Condition::Leaf(Leaf::Constant(true));
    let layer = Layer { kind, effect, instrument: instrument(title), from: None, until: None, condition };
    Revision { layers: vec![layer], ..rule(mode) }
}

fn asked(edition: Edition) -> Request {
    Request { form: form(edition), facility: FacilityId::trusted("main"), served: false, declined: false, facts: Vec::new() }
}

fn cases() -> Vec<Case> {
    let case = |what, rule: Revision, request| Case {
        what,
        rule: Some(rule),
        activated: true,
        request,
        promise: Promise::Nothing,
        change: |_| (),
        over: false,
    };
    let plain = |what, rule| case(what, rule, asked(Edition::I247D));
    let guarantee = || rule(Mode::RequireReimbursementGuarantee);
    let no = || Condition::Leaf(Leaf::Constant(false));
    let mut unsigned = asked(Edition::I247A);
    unsigned.form.signed = Tri::No;
    let mut unread = asked(Edition::I247A);
    unread.form.signed = Tri::Unknown;
    unread.form.documents = vec![document(DocumentKind::I200)];
    let mut reviewed = unread.clone();
    reviewed.declined = true;
    let mut citizen = asked(Edition::I247D);
    citizen.facts = vec![(instant("2024-03-15T12:00:00Z"), Fact::StatusProof(StatusProof::Citizen))];
    let registry = StatusLeaf { question: Question::Registry, lists: Vec::new(), signers: Vec::new() };
    let unknowns = Condition::All(vec![
        Condition::Leaf(Leaf::PendingCharge(ChargeLeaf::default())),
        Condition::Leaf(Leaf::Conviction(ConvictionLeaf::default())),
        Condition::Leaf(Leaf::Status(registry)),
    ]);
    let hours = |hours, exclusion, start| Revision { limit: Limit::Hours(hours), exclusion, start, ..rule(Mode::HonorAlways) };
    let notices = Answers { notify_declined: Some(true), transfer_declined: Some(true), ..Answers::default() };
    vec![
        plain("honor always", rule(Mode::HonorAlways)),
        case(
            "no service needed, as the form prints",
            hours(48, ExclusionRule::AsFormPrints, StartRule::OtherwiseReleased),
            asked(Edition::I247Of2012),
        ),
        plain("24 hours without weekends", hours(24, ExclusionRule::Weekends, StartRule::OtherwiseReleased)),
        plain("one hour from receipt", hours(1, ExclusionRule::None, StartRule::Receipt)),
        plain("from the service of a warrant", hours(48, ExclusionRule::None, StartRule::WarrantServed)),
        plain(
            "to the end of the day",
            Revision { limit: Limit::EndOfLocalDay, exclusion: ExclusionRule::None, ..rule(Mode::HonorAlways) },
        ),
        Case { activated: false, ..plain("a draft", rule(Mode::HonorAlways)) },
        Case { promise: Promise::Signed(MinimumCoverage::AllCosts), ..plain("guaranteed, as is supposed", guarantee()) },
        Case {
            promise: Promise::Signed(MinimumCoverage::AllCosts),
            change: |decision| decision.agreement = Some(AgreementId::trusted("letter-7")),
            ..plain("guaranteed by an agreement", guarantee())
        },
        plain("the condition is met", conditional(Condition::Leaf(Leaf::Constant(true)))),
        Case { rule: None, ..plain("no policy", guarantee()) },
        case("an I-247N", rule(Mode::HonorAlways), asked(Edition::I247N)),
        case("a citizen", rule(Mode::HonorAlways), citizen),
        case("not signed", rule(Mode::HonorAlways), unsigned),
        case("not read", rule(Mode::HonorAlways), unread),
        plain("no guarantee", guarantee()),
        Case { promise: Promise::NotReserved, ..plain("not reserved", guarantee()) },
        plain("all are declined", rule(Mode::DeclineAll)),
        plain("notice and transfer", Revision { answers: notices, ..rule(Mode::DeclineAll) }),
        plain("notice only", rule(Mode::NotifyOnly)),
        plain("three facts are not known", conditional(unknowns)),
        case("a reviewer declined", rule(Mode::HonorAlways), reviewed),
        plain("the condition is not met", conditional(no())),
        plain("a court demands it", layered(LayerKind::CourtOrder, Effect::Mandate, "Order in Doe v. Example", Mode::DeclineAll)),
        plain(
            "a court forbids it",
            layered(LayerKind::CourtOrder, Effect::Ceiling, "Order in Doe v. Example", Mode::HonorAlways),
        ),
        plain("the state demands it", layered(LayerKind::State, Effect::Mandate, "State Act 4", Mode::DeclineAll)),
        plain("the state forbids it", layered(LayerKind::State, Effect::Ceiling, "State Act 4", Mode::HonorAlways)),
        Case { change: |decision| decision.reason = Reason::Overridden, ..plain("overridden to honor", rule(Mode::HonorAlways)) },
        Case {
            change: |decision| decision.reason = Reason::Overridden,
            over: true,
            ..plain("overridden to honor, too late", rule(Mode::HonorAlways))
        },
        Case { over: true, ..case("honored where a hold has ended", rule(Mode::HonorAlways), asked(Edition::I247Of2012)) },
        Case { over: true, ..plain("declined where a hold has ended", rule(Mode::DeclineAll)) },
        Case {
            change: |decision| decision.reason = Reason::Overridden,
            ..plain("overridden to decline", rule(Mode::DeclineAll))
        },
    ]
}

fn decided(case: &Case) -> Decision {
    let at = instant("2024-03-15T14:00:00Z");
    let moment = Moment { at, dates: zone(), clock: zone() };
    let rule = case.rule.clone().map(|rule| {
        // Sufficiency is asked of the I-247A only, as it is by default.
        Revision { facial: FacialRule::Default, ..rule }
    });
    let mut decision = told(&case.request, rule.as_ref(), Payer::Supposed(case.promise), moment).decision;
    (case.change)(&mut decision);
    decision
}

#[test]
fn every_reason_is_told_in_each_language_as_the_golden_file_has_it() {
    let mut text = String::new();
    let mut met = Vec::new();
    for case in cases() {
        let decision = decided(&case);
        met.push(decision.reason);
        writeln!(text, "## {} ({:?}, {:?})", case.what, decision.outcome, decision.reason).unwrap();
        for language in Language::ALL {
            let rests = case.rule.as_ref().map(|rule| Rests::on(rule, zone(), case.activated));
            let told = sentences(language, &decision, rests, case.over);
            writeln!(text, "{}: {}\n    {}", language.tag(), told.answer, told.basis).unwrap();
        }
        text.push('\n');
    }
    let missed: Vec<_> = Reason::ALL.iter().filter(|reason| !met.contains(reason)).collect();
    assert!(missed.is_empty(), "no case has {missed:?}");

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/sentences.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    for (n, (is, must)) in text.lines().zip(golden.lines()).enumerate() {
        assert_eq!(is, must, "line {}", n + 1);
    }
    assert_eq!(text.lines().count(), golden.lines().count());
}

#[test]
fn no_two_reasons_are_told_alike() {
    for language in Language::ALL {
        let mut told: Vec<(Reason, Outcome, String)> = Vec::new();
        for case in cases() {
            let decision = decided(&case);
            let answer = sentences(language, &decision, None, case.over).answer;
            let alike = told.iter().find(|(reason, _, other)| *other == answer && *reason != decision.reason);
            assert!(alike.is_none(), "{alike:?} and {:?}", decision.reason);
            told.push((decision.reason, decision.outcome, answer));
        }
    }
}
