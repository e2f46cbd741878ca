//! Random rules, facts and inputs: every leaf, every kind of fact that one reads, few words so that they meet.

use detainer::domain::agreement::MinimumCoverage;
use detainer::domain::detainer::{DocumentKind, Edition};
use detainer::domain::facts::{
    AgeYears, Charge, Conviction, Disposition, Fact, JudicialWarrant, OrderSigner, PaperKind, Question, RecordsCheck, Status, Tri,
};
use detainer::domain::ids::AgreementId;
use detainer::domain::policy::{
    Answers, ChargeLeaf, Condition, ConvictionLeaf, Effect, FacialRule, Inputs, Layer, LayerKind, Leaf, LookBack, Mode, ReadFact,
    Revision, StatusLeaf, WarrantKind, check,
};
use detainer::domain::testing::{day, instrument, paper, revision};
use detainer::domain::time::{Date, HOUR_US, Instant};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use std::sync::Arc;

const QUESTIONS: [Question; 9] = [
    Question::PendingCase,
    Question::OutstandingWarrant,
    Question::PriorRemoval,
    Question::Reentry,
    Question::FinalOrder,
    Question::Registry,
    Question::WatchList,
    Question::ReleaseDatePublic,
    Question::OtherPurpose,
];
const SIGNERS: [OrderSigner; 3] = [OrderSigner::Judge, OrderSigner::ImmigrationJudge, OrderSigner::ImmigrationOfficer];
pub const EDITIONS: [Edition; 6] =
    [Edition::I247Of2011, Edition::I247Of2012, Edition::I247D, Edition::I247N, Edition::I247X, Edition::I247A];
const DOCUMENTS: [DocumentKind; 4] = [DocumentKind::I200, DocumentKind::I205, DocumentKind::I203, DocumentKind::JudicialWarrant];

pub fn tri() -> impl Strategy<Value = Tri> {
    select(vec![Tri::No, Tri::Unknown, Tri::Yes])
}

fn words(of: &[&str]) -> impl Strategy<Value = Vec<Arc<str>>> + use<> {
    let of: Vec<Arc<str>> = of.iter().map(|word| (*word).into()).collect();
    let most = of.len();
    subsequence(of, 0..=most)
}

fn classes() -> impl Strategy<Value = Vec<Arc<str>>> {
    words(&["felony", "theft"])
}

fn except() -> impl Strategy<Value = Vec<Arc<str>>> {
    words(&["youth"])
}

fn one_or_more<T: Clone + std::fmt::Debug + 'static>(of: Vec<T>) -> impl Strategy<Value = Vec<T>> {
    let most = of.len();
    subsequence(of, 1..=most)
}

fn back() -> impl Strategy<Value = LookBack> {
    let years = || prop::option::of(1u32..15);
    (years(), years(), any::<bool>()).prop_filter_map("a look-back has an end", |(conviction_years, release_years, tolled)| {
        let tolled = tolled && conviction_years.is_some();
        (conviction_years.is_some() || release_years.is_some()).then_some(LookBack { conviction_years, release_years, tolled })
    })
}

fn conviction_leaf() -> impl Strategy<Value = Leaf> {
    let flags = (prop::bool::weighted(0.2), prop::bool::weighted(0.2), prop::bool::weighted(0.2));
    (classes(), except(), prop::option::weighted(0.4, back()), 0u32..3, flags).prop_map(
        |(classes, except, within, at_least, (serving, in_this_booking, written_proof))| {
            Leaf::Conviction(ConvictionLeaf { classes, except, within, at_least, serving, in_this_booking, written_proof })
        },
    )
}

fn status_leaf() -> impl Strategy<Value = Leaf> {
    (select(QUESTIONS.to_vec()), words(&["x", "y"]), subsequence(SIGNERS.to_vec(), 0..=2)).prop_map(
        |(question, lists, signers)| {
            let listed = matches!(question, Question::Registry | Question::WatchList | Question::OutstandingWarrant);
            let signed = matches!(question, Question::PriorRemoval | Question::FinalOrder);
            let (lists, signers) = (if listed { lists } else { Vec::new() }, if signed { signers } else { Vec::new() });
            Leaf::Status(StatusLeaf { question, lists, signers })
        },
    )
}

/// Every leaf there is.
fn leaf() -> impl Strategy<Value = Leaf> {
    let minimum = select(vec![MinimumCoverage::AllCosts, MinimumCoverage::Any]);
    prop_oneof![
        1 => any::<bool>().prop_map(Leaf::Constant),
        1 => minimum.prop_map(Leaf::Guaranteed),
        1 => any::<bool>().prop_map(Leaf::JudicialWarrant),
        1 => one_or_more(vec![WarrantKind::I200, WarrantKind::I205]).prop_map(Leaf::AdministrativeWarrant),
        1 => one_or_more(EDITIONS.to_vec()).prop_map(Leaf::FormEdition),
        3 => conviction_leaf(),
        2 => (classes(), except(), any::<bool>(), any::<bool>()).prop_map(|(classes, except, magistrate_found, without_bail)| {
            Leaf::PendingCharge(ChargeLeaf { classes, except, magistrate_found, without_bail })
        }),
        3 => status_leaf(),
        1 => (17u32..20).prop_map(Leaf::AgeAtLeast),
        4 => select(vec![
            Leaf::ProbableCause,
            Leaf::StateOrder,
            Leaf::FederalOrder,
            Leaf::BookingForm,
            Leaf::FaciallySufficient,
            Leaf::PriorConviction,
            Leaf::StatusProof,
            Leaf::Served,
        ]),
    ]
}

/// Trees of at most four levels.
pub fn tree() -> impl Strategy<Value = Condition> {
    leaf().prop_map(Condition::Leaf).prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Condition::All),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Condition::Any),
            inner.prop_map(|part| Condition::Not(Box::new(part))),
        ]
    })
}

/// Up to three layers, most binding first; with dates that begin or end within a hundred hours of `around`.
pub fn layers(around: Instant) -> impl Strategy<Value = Vec<Layer>> {
    let date = move || prop::option::weighted(0.3, (0i64..100).prop_map(move |hours| around.plus_us(hours * HOUR_US)));
    let kind = select(vec![LayerKind::CourtOrder, LayerKind::State]);
    let effect = select(vec![Effect::Mandate, Effect::Ceiling]);
    let layer = (kind, effect, date(), date(), tree()).prop_map(|(kind, effect, from, until, condition)| Layer {
        kind,
        effect,
        instrument: instrument("A law"),
        from,
        until: until.filter(|until| from.is_none_or(|from| from < *until)),
        condition,
    });
    prop::collection::vec(layer, 0..4).prop_map(|mut layers| {
        layers.sort_by_key(|layer| layer.kind);
        layers
    })
}

/// Rules of every mode, with layers, answers and trees for notice and transfer: also such as are refused.
pub fn any_rule(around: Instant) -> impl Strategy<Value = Revision> {
    let modes = prop_oneof![
        3 => Just(Mode::Conditional),
        2 => Just(Mode::RequireReimbursementGuarantee),
        1 => select(vec![Mode::HonorAlways, Mode::DeclineAll, Mode::NotifyOnly]),
    ];
    let facial = select(vec![FacialRule::Default, FacialRule::Required, FacialRule::NotRequired]);
    let wheres = (prop::option::weighted(0.2, tree()), prop::option::weighted(0.2, tree()));
    let minimum = select(vec![MinimumCoverage::AllCosts, MinimumCoverage::Any]);
    (modes, tree(), layers(around), facial, wheres, minimum, prop::option::of(any::<bool>())).prop_map(
        |(mode, condition, layers, facial, (notify_where, transfer_where), minimum, notify_declined)| Revision {
            condition: (mode == Mode::Conditional).then_some(condition),
            minimum: if mode == Mode::RequireReimbursementGuarantee { minimum } else { MinimumCoverage::AllCosts },
            layers,
            facial,
            answers: Answers { notify_declined: notify_declined.filter(|_| notify_where.is_none()), ..Answers::default() },
            notify_where,
            transfer_where,
            ..revision("r", mode)
        },
    )
}

/// Rules that a county may have.
pub fn good_rule(around: Instant) -> impl Strategy<Value = Revision> {
    any_rule(around).prop_map(|mut rule| {
        // What the static checks refuse is left away: first a layer, then the trees, last the rule's own.
        rule.layers
            .retain(|layer| check(&Revision { layers: vec![layer.clone()], ..revision("r", Mode::HonorAlways) }).is_empty());
        let alone =
            |tree: &Condition| check(&Revision { condition: Some(tree.clone()), ..revision("r", Mode::Conditional) }).is_empty();
        rule.notify_where = rule.notify_where.filter(alone);
        rule.transfer_where = rule.transfer_where.filter(alone);
        if rule.mode == Mode::Conditional && !rule.condition.as_ref().is_some_and(alone) {
            rule.condition = Some(Condition::Leaf(Leaf::PriorConviction));
        }
        while !check(&rule).is_empty() && rule.layers.pop().is_some() {}
        if check(&rule).is_empty() { rule } else { revision("r", rule.mode) }
    })
}

fn date() -> impl Strategy<Value = Option<Date>> {
    prop::option::weighted(0.8, (1995i32..2024).prop_map(|year| day(&format!("{year}-06-15"))))
}

/// Every kind of fact that a leaf reads. Charges are named by number.
pub fn fact() -> impl Strategy<Value = Fact> {
    let papers = vec![
        PaperKind::ProbableCauseFinding,
        PaperKind::StateOrder,
        PaperKind::I200,
        PaperKind::I205,
        PaperKind::FederalOrder,
        PaperKind::I203,
    ];
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let told = || words(&["felony", "theft", "youth"]);
    prop_oneof![
        3 => (told(), date(), date(), flags).prop_map(
            |(classes, convicted, released, (serving, written_proof, this_booking))| {
                // What cannot be so is refused: released while the sentence is served, or before the conviction.
                let released = released.filter(|day| !serving && convicted.is_none_or(|convicted| convicted <= *day));
                Fact::Conviction(Conviction { classes, convicted, released, serving, written_proof, this_booking })
            },
        ),
        2 => (told(), tri(), tri()).prop_map(|(classes, probable_cause, bail_granted)| {
            Fact::Charge(Charge { classes, code: "".into(), probable_cause, bail_granted })
        }),
        1 => (any::<bool>(), 0u32..6).prop_map(|(acquitted, charge)| Fact::Disposition(Disposition { acquitted, charge })),
        1 => (16u32..21).prop_map(|years| Fact::AgeYears(AgeYears { years })),
        1 => tri().prop_map(|federal| Fact::JudicialWarrant(JudicialWarrant { federal, signed: None, court: "".into() })),
        2 => select(papers).prop_map(paper),
        3 => (select(QUESTIONS.to_vec()), tri(), prop::option::of(select(SIGNERS.to_vec())), words(&["x", "y"])).prop_map(
            |(question, answer, signer, lists)| Fact::Status(Status { question, answer, signer, lists }),
        ),
        2 => (any::<bool>(), any::<bool>())
            .prop_map(|(convictions, charges)| Fact::RecordsCheck(RecordsCheck { convictions, charges })),
    ]
}

/// All that the evaluator reads, for a rule with `layers` layers.
pub fn inputs(layers: usize) -> impl Strategy<Value = Inputs> {
    let rare = || prop::bool::weighted(0.08);
    let agreement = || prop::option::of(select(vec![AgreementId::trusted("G1"), AgreementId::trusted("G2")]));
    let all: Vec<u32> = (0..).take(layers).collect();
    let form = (select(EDITIONS.to_vec()), prop::bool::weighted(0.9), tri(), subsequence(DOCUMENTS.to_vec(), 0..=3));
    let promised = (agreement(), agreement(), rare(), prop::collection::vec(Just(AgreementId::trusted("G3")), 0..2));
    let acts = (rare(), rare(), any::<bool>(), prop::option::weighted(0.1, any::<bool>()));
    let day = prop::option::weighted(0.9, Just(day("2024-03-15")));
    (form, promised, acts, day, prop::collection::vec(fact(), 0..9), subsequence(all, 0..=layers)).prop_map(
        |(form, promised, acts, day, facts, layers)| {
            let (edition, asks_hold, facially_sufficient, documents) = form;
            let (guarantee_all, guarantee_any, reservation_failed, exhausted) = promised;
            let (status_proof, review_declined, served, overridden) = acts;
            let facts = facts.into_iter().zip(1..).map(|(fact, n)| ReadFact { n, fact }).collect();
            Inputs {
                edition,
                asks_hold,
                status_proof,
                facially_sufficient,
                // Whoever promises all costs promises something.
                guarantee_any: guarantee_any.or_else(|| guarantee_all.clone()),
                guarantee_all,
                review_declined,
                reservation_failed,
                exhausted,
                day,
                served,
                documents,
                doubtful: Vec::new(),
                facts,
                layers,
                overridden,
            }
        },
    )
}

/// A rule and what it may read.
pub fn asked() -> impl Strategy<Value = (Revision, Inputs)> {
    any_rule(Instant::MIN).prop_flat_map(|rule| {
        let layers = rule.layers.len();
        (Just(rule), inputs(layers))
    })
}
