//! A decision in two plain sentences for people, in English and Spanish: the answer and why; then what happens next and
//! what it rests on.
//!
//! They are made from reason codes and from what the decision keeps each time they are shown, and stored nowhere. No
//! person is named, and nothing is told of one but the kinds of fact that are not known yet. To add a language: a case of
//! [`Language`]; each match here then says what is missing.

use super::clock::{ClockTerms, Exclusion, Limit, StartRule};
use super::decision::{Decision, Outcome, Reason};
use super::facts::Tri;
use super::policy::{Explanation, Mode, Revision, Step};
use super::time::{Date, Zone};
use chrono::Datelike as _;

/// A language that decisions are told in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    /// English.
    English,
    /// Spanish.
    Spanish,
}

impl Language {
    /// Every language, the first one first.
    pub const ALL: [Self; 2] = [Self::English, Self::Spanish];

    /// Its BCP 47 tag.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
        }
    }
}

/// A decision in plain words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sentences {
    /// The answer and why.
    pub answer: String,
    /// What happens next, and on what it rests.
    pub basis: String,
}

/// The revision that a decision rests on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rests<'a> {
    /// The title of its paper.
    pub title: &'a str,
    /// How that is cited; may be empty.
    pub citation: &'a str,
    /// The county's local day on which it takes effect; nothing where it was not activated.
    pub from: Option<Date>,
}

impl<'a> Rests<'a> {
    /// On a revision that was activated, or on one that was not. `zone` is the county's.
    #[must_use]
    pub fn on(revision: &'a Revision, zone: Zone, activated: bool) -> Self {
        let paper = &revision.instrument;
        let from = activated.then(|| zone.date(revision.effective.effective));
        Self { title: &paper.title, citation: &paper.citation, from }
    }
}

/// The two sentences of a decision. `over`: no hold may begin on its detainer any more ([`super::release::is_over`]).
#[must_use]
pub fn sentences(language: Language, decision: &Decision, rests: Option<Rests<'_>>, over: bool) -> Sentences {
    let answer = match (language, decision.outcome) {
        (Language::English, Outcome::Honor) => "This detainer is honored",
        (Language::English, Outcome::Decline) => "This detainer is declined",
        (Language::English, Outcome::NeedsReview) => "This detainer needs review",
        (Language::Spanish, Outcome::Honor) => "Esta solicitud de retención migratoria se acepta",
        (Language::Spanish, Outcome::Decline) => "Esta solicitud de retención migratoria se rechaza",
        (Language::Spanish, Outcome::NeedsReview) => "Esta solicitud de retención migratoria requiere revisión",
    };
    let because = match language {
        Language::English => format!("because {}", because_en(decision.reason, decision.mode)),
        Language::Spanish => format!("porque {}", because_es(decision.reason, decision.mode)),
    };
    let next = match language {
        Language::English => next_en(decision, over),
        Language::Spanish => next_es(decision, over),
    };
    let basis = match rests {
        Some(rests) => format!("{next}; {}.", grounds(language, decision, rests)),
        None => format!("{next}."),
    };
    Sentences { answer: format!("{answer} {because}."), basis }
}

fn because_en(reason: Reason, mode: Option<Mode>) -> &'static str {
    match (reason, mode) {
        (Reason::RuleSatisfied, Some(Mode::RequireReimbursementGuarantee)) => {
            "a signed agreement in force guarantees the payment that the county's policy asks for"
        }
        (Reason::RuleSatisfied, Some(Mode::Conditional)) => "the condition of the county's rule is met",
        (Reason::RuleSatisfied, _) => "the county's policy honors every request to hold that is in order",
        (Reason::NoPolicyInForce, _) => "the county had no policy in force at that time",
        (Reason::NoHoldRequested, _) => "the form does not ask for a hold",
        (Reason::StatusProof, _) => "proof of citizenship or of lawful status is on record",
        (Reason::FaciallyInsufficient, _) => {
            "the form lacks a ticked probable-cause box, a signature, or an attached warrant (I-200 or I-205)"
        }
        (Reason::FaciallyUnknown, _) => {
            "it is not known whether a probable-cause box on the form is ticked and whether the form is signed"
        }
        (Reason::NoGuarantee, _) => {
            "no signed agreement in force, with money left, guarantees the payment that the county's policy asks for"
        }
        (Reason::BalanceNotReserved, _) => "the agreement that covers it has too little money left to reserve for the hold",
        (Reason::PolicyDeclines, _) => "the county's policy honors no request to hold",
        (Reason::NotifyOnly, _) => "the county's policy is to give notice and to hold nobody",
        (Reason::RuleUnknown, _) => "a fact that the rule asks about is not known",
        (Reason::ReviewDeclined, _) => "a reviewer declined it",
        (Reason::RuleNotSatisfied, _) => "the condition of the county's rule is not met",
        (Reason::CourtOrder, _) => "an order of a court requires this answer",
        (Reason::StateMandate, _) => "a law of the state requires the hold",
        (Reason::StateCeiling, _) => "a law of the state forbids the hold",
        (Reason::Overridden, _) => "two persons put this answer in place of the one that the county's rule gives",
    }
}

fn because_es(reason: Reason, mode: Option<Mode>) -> &'static str {
    match (reason, mode) {
        (Reason::RuleSatisfied, Some(Mode::RequireReimbursementGuarantee)) => {
            "un acuerdo firmado y vigente garantiza el pago que exige la política del condado"
        }
        (Reason::RuleSatisfied, Some(Mode::Conditional)) => "se cumple la condición de la norma del condado",
        (Reason::RuleSatisfied, _) => "la política del condado acepta toda solicitud de retención que esté en regla",
        (Reason::NoPolicyInForce, _) => "el condado no tenía ninguna política vigente en ese momento",
        (Reason::NoHoldRequested, _) => "el formulario no pide que se retenga a la persona",
        (Reason::StatusProof, _) => "consta una prueba de ciudadanía o de estatus legal",
        (Reason::FaciallyInsufficient, _) => {
            "al formulario le falta una casilla de causa probable marcada, la firma o una orden adjunta (I-200 o I-205)"
        }
        (Reason::FaciallyUnknown, _) => {
            "no se sabe si el formulario tiene marcada una casilla de causa probable ni si está firmado"
        }
        (Reason::NoGuarantee, _) => {
            "ningún acuerdo firmado, vigente y con fondos disponibles garantiza el pago que exige la política del condado"
        }
        (Reason::BalanceNotReserved, _) => {
            "al acuerdo que la cubre no le quedan fondos suficientes para reservar el costo de la retención"
        }
        (Reason::PolicyDeclines, _) => "la política del condado no acepta ninguna solicitud de retención",
        (Reason::NotifyOnly, _) => "la política del condado es dar aviso y no retener a nadie",
        (Reason::RuleUnknown, _) => "no se conoce un hecho que la norma exige conocer",
        (Reason::ReviewDeclined, _) => "la rechazó la persona encargada de la revisión",
        (Reason::RuleNotSatisfied, _) => "no se cumple la condición de la norma del condado",
        (Reason::CourtOrder, _) => "una orden judicial exige esta respuesta",
        (Reason::StateMandate, _) => "una ley estatal exige la retención",
        (Reason::StateCeiling, _) => "una ley estatal prohíbe la retención",
        (Reason::Overridden, _) => "dos personas sustituyeron con esta respuesta la que da la norma del condado",
    }
}

fn next_en(decision: &Decision, over: bool) -> String {
    match (decision.outcome, &decision.terms) {
        (Outcome::Honor, Some(terms)) => {
            let begins = match (over, decision.inputs.edition.needs_service()) {
                (true, _) => ", but none may begin any more",
                (false, true) => ", and none begins before a copy of the form was given to the person",
                (false, false) => "",
            };
            format!("A hold may last at most {} from {}{begins}", lasts_en(terms), start_en(terms.start))
        }
        (Outcome::Honor, None) if over => "No hold may begin any more".to_owned(),
        (Outcome::Honor, None) => "A hold may begin when the person would otherwise have been released".to_owned(),
        (Outcome::Decline, _) => {
            let notify = if decision.notify { "the issuing office is notified" } else { "the issuing office is not notified" };
            let transfer = if decision.transfer { ", and the person is handed over to federal officers" } else { "" };
            format!("The person is not held on it, and {notify}{transfer}")
        }
        (Outcome::NeedsReview, _) => {
            let open = "The person is not held on it while the review is open";
            match listed(Language::English, &missing(decision)) {
                Some(missing) => format!("{open}, and what is not known yet concerns {missing}"),
                None => open.to_owned(),
            }
        }
    }
}

fn next_es(decision: &Decision, over: bool) -> String {
    match (decision.outcome, &decision.terms) {
        (Outcome::Honor, Some(terms)) => {
            let begins = match (over, decision.inputs.edition.needs_service()) {
                (true, _) => ", pero ya no puede empezar ninguna",
                (false, true) => ", y no empieza antes de que se entregue a la persona una copia del formulario",
                (false, false) => "",
            };
            format!("La retención puede durar como máximo {} a partir {}{begins}", lasts_es(terms), start_es(terms.start))
        }
        (Outcome::Honor, None) if over => "Ya no puede empezar ninguna retención".to_owned(),
        (Outcome::Honor, None) => "La retención puede empezar cuando la persona habría quedado en libertad".to_owned(),
        (Outcome::Decline, _) => {
            let notify = if decision.notify { "y se avisa" } else { "ni se avisa" };
            let transfer = if decision.transfer { ", y se entrega a la persona a los agentes federales" } else { "" };
            format!("No se retiene a la persona por esta solicitud {notify} a la oficina emisora{transfer}")
        }
        (Outcome::NeedsReview, _) => {
            let open = "No se retiene a la persona por esta solicitud mientras la revisión esté pendiente";
            match listed(Language::Spanish, &missing(decision)) {
                Some(missing) => format!("{open}, y lo que aún no se sabe se refiere a lo siguiente: {missing}"),
                None => open.to_owned(),
            }
        }
    }
}

fn lasts_en(terms: &ClockTerms) -> String {
    let limit = match terms.limit {
        Limit::Hours(1) => "1 hour".to_owned(),
        Limit::Hours(hours) => format!("{hours} hours"),
        Limit::EndOfLocalDay => "to the end of the local day,".to_owned(),
    };
    match terms.exclusion {
        Exclusion::None => limit,
        Exclusion::Weekends => format!("{limit}, not counting Saturdays and Sundays,"),
        Exclusion::WeekendsAndHolidays { .. } => format!("{limit}, not counting Saturdays, Sundays and holidays,"),
    }
}

fn lasts_es(terms: &ClockTerms) -> String {
    let exclusion = match terms.exclusion {
        Exclusion::None => "",
        Exclusion::Weekends => ", sin contar sábados ni domingos,",
        Exclusion::WeekendsAndHolidays { .. } => ", sin contar sábados, domingos ni días feriados,",
    };
    match terms.limit {
        Limit::Hours(1) => format!("1 hora{exclusion}"),
        Limit::Hours(hours) => format!("{hours} horas{exclusion}"),
        Limit::EndOfLocalDay => "hasta el final del día local,".to_owned(),
    }
}

fn start_en(start: StartRule) -> &'static str {
    match start {
        StartRule::OtherwiseReleased => "the time at which the person would otherwise have been released",
        StartRule::Receipt => {
            "the receipt of the first detainer or the time at which the person would otherwise have been released, \
             whichever comes first"
        }
        StartRule::WarrantServed => {
            "the service of the warrant or the time at which the person would otherwise have been released, whichever comes \
             first"
        }
    }
}

fn start_es(start: StartRule) -> &'static str {
    match start {
        StartRule::OtherwiseReleased => "del momento en que la persona habría quedado en libertad",
        StartRule::Receipt => {
            "de la recepción de la primera solicitud o del momento en que la persona habría quedado en libertad, lo que ocurra \
             primero"
        }
        StartRule::WarrantServed => {
            "de la notificación de la orden o del momento en que la persona habría quedado en libertad, lo que ocurra primero"
        }
    }
}

/// On what it rests: the agreement, the layer that decided, the revision.
fn grounds(language: Language, decision: &Decision, rests: Rests<'_>) -> String {
    let quoted = |title: &str| match language {
        Language::English => format!("“{title}”"),
        Language::Spanish => format!("«{title}»"),
    };
    let mut paper = quoted(rests.title);
    if !rests.citation.is_empty() && rests.citation != rests.title {
        paper = format!("{paper} ({})", rests.citation);
    }
    let paper = match (language, rests.from) {
        (Language::English, Some(day)) => format!("{paper}, in force from {}", day_in(language, day)),
        (Language::English, None) => format!("{paper}, which is not in force"),
        (Language::Spanish, Some(day)) => format!("{paper}, vigente desde el {}", day_in(language, day)),
        (Language::Spanish, None) => format!("{paper}, que no está en vigor"),
    };
    let layer = decision.explanation.layers.iter().find(|layer| layer.decided && layer.effect.is_some());
    let paper = match (language, layer.map(|layer| quoted(&layer.instrument))) {
        (Language::English, Some(layer)) => format!("{layer}, applied under {paper}"),
        (Language::Spanish, Some(layer)) => format!("{layer}, que se aplica conforme a {paper}"),
        (_, None) => paper,
    };
    match (language, &decision.agreement) {
        (Language::English, Some(agreement)) => format!("this rests on agreement {agreement} and on {paper}"),
        (Language::English, None) => format!("this rests on {paper}"),
        (Language::Spanish, Some(agreement)) => format!("esto se basa en el acuerdo {agreement} y en {paper}"),
        (Language::Spanish, None) => format!("esto se basa en {paper}"),
    }
}

fn day_in(language: Language, day: Date) -> String {
    let (english, spanish) = match day.month() {
        1 => ("January", "enero"),
        2 => ("February", "febrero"),
        3 => ("March", "marzo"),
        4 => ("April", "abril"),
        5 => ("May", "mayo"),
        6 => ("June", "junio"),
        7 => ("July", "julio"),
        8 => ("August", "agosto"),
        9 => ("September", "septiembre"),
        10 => ("October", "octubre"),
        11 => ("November", "noviembre"),
        _ => ("December", "diciembre"),
    };
    match language {
        Language::English => format!("{english} {}, {}", day.day(), day.year()),
        Language::Spanish if day.day() == 1 => format!("1.º de {spanish} de {}", day.year()),
        Language::Spanish => format!("{} de {spanish} de {}", day.day(), day.year()),
    }
}

/// What the layer that decided asks about and nobody knows, each kind once, in its order.
fn missing(decision: &Decision) -> Vec<Step> {
    let mut found = Vec::new();
    if decision.reason == Reason::RuleUnknown {
        decision.explanation.layers.iter().filter(|layer| layer.decided).for_each(|layer| gather(&layer.condition, &mut found));
    }
    found
}

fn gather(node: &Explanation, found: &mut Vec<Step>) {
    if node.value != Tri::Unknown {
        return;
    }
    if node.parts.is_empty() && !found.contains(&node.step) {
        found.push(node.step);
    }
    node.parts.iter().for_each(|part| gather(part, found));
}

fn listed(language: Language, steps: &[Step]) -> Option<String> {
    let words: Vec<&str> = steps.iter().filter_map(|step| asked(language, *step)).collect();
    let (last, before) = words.split_last()?;
    let and = match language {
        Language::English => "and",
        // None of the words begins with the sound of an i.
        Language::Spanish => "y",
    };
    Some(if before.is_empty() { (*last).to_owned() } else { format!("{} {and} {last}", before.join(", ")) })
}

/// What a leaf asks about; nothing for what is never unknown or asks nothing by itself.
fn asked(language: Language, step: Step) -> Option<&'static str> {
    let (english, spanish) = match step {
        Step::All | Step::Any | Step::Not | Step::Constant | Step::Overridden | Step::RevisionInForce => return None,
        Step::HoldRequested => ("what the form asks for", "lo que pide el formulario"),
        Step::StatusProof => ("proof of citizenship or of lawful status", "la prueba de ciudadanía o de estatus legal"),
        Step::FaciallySufficient => ("the boxes and the signature of the form", "las casillas y la firma del formulario"),
        Step::DeclinedOnReview => ("the review", "la revisión"),
        Step::Guaranteed => ("a signed agreement", "un acuerdo firmado"),
        Step::JudicialWarrant => ("a warrant signed by a judge", "una orden firmada por un juez"),
        Step::ProbableCause => ("a judge's finding of probable cause", "una determinación judicial de causa probable"),
        Step::StateOrder => ("an order of a state judge", "una orden de un juez estatal"),
        Step::AdministrativeWarrant => ("an administrative warrant", "una orden administrativa"),
        Step::FederalOrder => ("a federal order", "una orden federal"),
        Step::BookingForm => ("a booking form I-203", "un formulario I-203"),
        Step::FormEdition => ("the edition of the form", "la edición del formulario"),
        Step::Conviction => ("a conviction", "una condena"),
        Step::PendingCharge => ("a pending charge", "un cargo pendiente"),
        Step::PriorConviction => ("an earlier conviction", "una condena anterior"),
        Step::PendingCase => ("a pending criminal case", "un proceso penal pendiente"),
        Step::OutstandingWarrant => ("an outstanding criminal warrant", "una orden de arresto penal pendiente"),
        Step::PriorRemoval => ("an earlier order of removal", "una orden de expulsión anterior"),
        Step::Reentry => ("a re-entry after removal", "un reingreso después de una expulsión"),
        Step::FinalOrder => ("a final order of removal", "una orden final de expulsión"),
        Step::Registry => ("a registry of offenders", "un registro de infractores"),
        Step::WatchList => ("a gang or watch list", "una lista de pandillas o de vigilancia"),
        Step::ReleaseDatePublic => ("whether the release date is public", "si la fecha de liberación es pública"),
        Step::OtherPurpose => ("a purpose other than immigration", "un fin distinto del migratorio"),
        Step::AgeAtLeast => ("the person's age", "la edad de la persona"),
        Step::Served => ("whether a copy of the form was given", "si se entregó una copia del formulario"),
    };
    Some(match language {
        Language::English => english,
        Language::Spanish => spanish,
    })
}
