//! The evaluator alone: unknowns, modes, the order of what it is given.

use super::rules::{asked, fact};
use detainer::domain::decision::Outcome;
use detainer::domain::facts::{Disposition, Fact, Question, RecordsCheck, Status, Tri};
use detainer::domain::policy::{Condition, Explained, Explanation, Inputs, Mode, ReadFact, Revision, evaluate};
use proptest::prelude::*;

fn facts_where(inputs: &Inputs, keep: impl Fn(&Fact) -> bool) -> Vec<ReadFact> {
    inputs.facts.iter().filter(|read| keep(&read.fact)).cloned().collect()
}

/// Convictions, or charges, are not known to be complete any more.
fn unchecked(inputs: &mut Inputs, convictions: bool) {
    for read in &mut inputs.facts {
        if let Fact::RecordsCheck(check) = &mut read.fact {
            *check = RecordsCheck { convictions: check.convictions && !convictions, charges: check.charges && convictions };
        }
    }
}

/// One fact with one thing of it not known. Which list a word was about is forgotten only of the last word on its
/// question: a later one on that list took its place, and would no more.
fn blurred_fact(fact: &Fact, last: bool) -> Vec<Fact> {
    match fact {
        Fact::Conviction(known) => {
            let (mut untold, mut undated, mut unended) = (known.clone(), known.clone(), known.clone());
            untold.classes.clear();
            undated.convicted = None;
            unended.released = None;
            [untold, undated, unended].map(Fact::Conviction).into()
        }
        Fact::Charge(known) => {
            let (mut untold, mut unfound, mut unbailed) = (known.clone(), known.clone(), known.clone());
            untold.classes.clear();
            unfound.probable_cause = Tri::Unknown;
            unbailed.bail_granted = Tri::Unknown;
            [untold, unfound, unbailed].map(Fact::Charge).into()
        }
        Fact::Disposition(known) => vec![Fact::Disposition(Disposition { charge: 0, ..known.clone() })],
        Fact::JudicialWarrant(known) => {
            let mut unread = known.clone();
            unread.federal = Tri::Unknown;
            vec![Fact::JudicialWarrant(unread)]
        }
        Fact::Status(known) => {
            let mut all = vec![
                Fact::Status(Status { answer: Tri::Unknown, ..known.clone() }),
                Fact::Status(Status { signer: None, ..known.clone() }),
            ];
            // To be in a list that is not told; of a *no*, no list means none of them, which says more. An order has none.
            let listed = matches!(known.question, Question::Registry | Question::WatchList | Question::OutstandingWarrant);
            if last && listed && known.answer != Tri::No {
                all.push(Fact::Status(Status { lists: Vec::new(), ..known.clone() }));
            }
            all
        }
        Fact::RecordsCheck(known) => vec![
            Fact::RecordsCheck(RecordsCheck { convictions: false, ..*known }),
            Fact::RecordsCheck(RecordsCheck { charges: false, ..*known }),
        ],
        _ => Vec::new(),
    }
}

/// The same inputs with one thing unknown that was known, or one unknown more. Leaves about documents and acts have no
/// unknown: what is not recorded of them is *no*, and is left alone here. So is a conviction proved in writing.
fn blurred(inputs: &Inputs) -> Vec<Inputs> {
    let mut all = vec![
        Inputs { facially_sufficient: Tri::Unknown, ..inputs.clone() },
        Inputs { day: None, ..inputs.clone() },
        // Nothing is recorded of the age, of what records were checked.
        Inputs { facts: facts_where(inputs, |fact| !matches!(fact, Fact::AgeYears(_))), ..inputs.clone() },
        Inputs { facts: facts_where(inputs, |fact| !matches!(fact, Fact::RecordsCheck(_))), ..inputs.clone() },
    ];
    // Nothing is recorded of convictions, of charges: their records are then not known to be complete.
    let kept = |fact: &Fact| !matches!(fact, Fact::Conviction(one) if !one.written_proof);
    let mut unconvicted = Inputs { facts: facts_where(inputs, kept), ..inputs.clone() };
    unchecked(&mut unconvicted, true);
    let mut uncharged = Inputs { facts: facts_where(inputs, |fact| !matches!(fact, Fact::Charge(_))), ..inputs.clone() };
    unchecked(&mut uncharged, false);
    all.extend([unconvicted, uncharged]);
    for (n, read) in inputs.facts.iter().enumerate() {
        if let Fact::Status(known) = &read.fact {
            // Nothing is recorded of a question; then, its last word is that it is not known.
            let other = |fact: &Fact| !matches!(fact, Fact::Status(one) if one.question == known.question);
            all.push(Inputs { facts: facts_where(inputs, other), ..inputs.clone() });
            let mut more = inputs.clone();
            let fact = Fact::Status(Status { answer: Tri::Unknown, ..known.clone() });
            more.facts.push(ReadFact { n: 90, fact });
            all.push(more);
        }
        let mut later = inputs.facts.iter().skip(n + 1);
        let last = !later.any(|later| same_question(&read.fact, &later.fact));
        for fact in blurred_fact(&read.fact, last) {
            let mut one = inputs.clone();
            one.facts[n].fact = fact;
            all.push(one);
        }
    }
    // Whether a paper that came with the form is signed is not known.
    for kind in &inputs.documents {
        let mut unsure = inputs.clone();
        unsure.documents.retain(|other| other != kind);
        unsure.doubtful.push(*kind);
        all.push(unsure);
    }
    // A charge was dismissed, and which is not told.
    let mut dismissed = inputs.clone();
    dismissed.facts.push(ReadFact { n: 91, fact: Fact::Disposition(Disposition { acquitted: false, charge: 0 }) });
    all.push(dismissed);
    all
}

fn same_question(one: &Fact, other: &Fact) -> bool {
    matches!((one, other), (Fact::Status(one), Fact::Status(other)) if one.question == other.question)
}

/// Every tree of a rule, its own among them.
fn trees(rule: &Revision) -> Vec<Condition> {
    rule.conditions().cloned().chain([rule.rule().into_owned()]).collect()
}

/// What an answer says, and the value of each of its steps.
pub fn said(answer: &detainer::domain::policy::Answer) -> (Outcome, detainer::domain::decision::Reason, bool, bool, Vec<Tri>) {
    (answer.outcome, answer.reason, answer.notify, answer.transfer, values(&answer.explanation))
}

/// The value of each step, in order.
pub fn values(explained: &Explained) -> Vec<Tri> {
    fn all(step: &Explanation, into: &mut Vec<Tri>) {
        into.push(step.value);
        step.parts.iter().for_each(|part| all(part, into));
    }
    let layers = explained.layers.iter().map(|layer| &layer.condition);
    let steps = explained.checks.iter().chain(layers).chain(&explained.notify).chain(&explained.transfer);
    let mut values = Vec::new();
    steps.for_each(|step| all(step, &mut values));
    values
}

proptest! {
    #![proptest_config(super::county::tried(1_000))]

    /// DOMAIN.md §8.6. A value that was known stays or becomes unknown, and an answer that is not HONOR never becomes it.
    #[test]
    fn an_unknown_more_never_turns_an_answer_into_honor((rule, inputs) in asked(), then in any::<prop::sample::Index>()) {
        let (mut known, mut before) = (inputs.clone(), evaluate(Some(&rule), &inputs).outcome);
        // One thing unknown, and of one of those that came of it, one thing more.
        for _ in 0..2 {
            let all = blurred(&known);
            for less in &all {
                let after = evaluate(Some(&rule), less);
                prop_assert!(before == Outcome::Honor || after.outcome != Outcome::Honor, "{known:?} became {less:?}: {after:?}");
                for tree in trees(&rule) {
                    let (was, is) = (tree.value(&known), tree.value(less));
                    prop_assert!(is == was || is == Tri::Unknown, "{tree:?} was {was:?} and is {is:?}: {known:?} became {less:?}");
                }
            }
            known = then.get(&all).clone();
            before = evaluate(Some(&rule), &known).outcome;
        }
    }

    /// The same layers, form, facts and acts: the mode alone is another.
    #[test]
    fn honor_always_honors_whatever_guarantee_only_honors((rule, inputs) in asked()) {
        let in_mode = |mode| Revision { mode, condition: None, ..rule.clone() };
        let only = evaluate(Some(&in_mode(Mode::RequireReimbursementGuarantee)), &inputs);
        let always = evaluate(Some(&in_mode(Mode::HonorAlways)), &inputs);
        prop_assert!(only.outcome != Outcome::Honor || always.outcome == Outcome::Honor, "{only:?} but {always:?}");
    }

    /// What is read of one instant may come in any order, where no two facts of it contradict each other: of those the
    /// one recorded last counts (docs/decisions/0006), and their order is an input.
    #[test]
    fn facts_of_one_instant_are_read_in_any_order(
        (rule, inputs) in asked(),
        facts in prop::collection::vec(fact(), 0..9).prop_map(agreeing).prop_flat_map(|facts| (Just(facts.clone()), Just(facts).prop_shuffle())),
    ) {
        let (one, other) = facts;
        let mut documents = inputs.documents.clone();
        documents.reverse();
        let one = evaluate(Some(&rule), &Inputs { facts: one, ..inputs.clone() });
        let other = evaluate(Some(&rule), &Inputs { facts: other, documents, ..inputs });
        prop_assert_eq!((said(&one), one.agreement), (said(&other), other.agreement));
    }
}

/// Facts of which no two have a last word on the same thing; each keeps its number, by which others name it.
fn agreeing(facts: Vec<Fact>) -> Vec<ReadFact> {
    let mut kept: Vec<ReadFact> = Vec::new();
    for (fact, n) in facts.into_iter().zip(1..) {
        if !kept.iter().any(|read| contradicts(&read.fact, &fact)) {
            kept.push(ReadFact { n, fact });
        }
    }
    kept
}

/// Whether two facts speak of the same thing, so that the later word counts.
pub fn contradicts(one: &Fact, other: &Fact) -> bool {
    match (one, other) {
        (Fact::AgeYears(_), Fact::AgeYears(_)) | (Fact::RecordsCheck(_), Fact::RecordsCheck(_)) => true,
        (Fact::Status(one), Fact::Status(other)) if one.question == other.question => {
            one.lists.is_empty() || other.lists.is_empty() || one.lists.iter().any(|list| other.lists.contains(list))
        }
        // Of two tellings of one thing the later is read.
        _ => one.same_thing(other),
    }
}
