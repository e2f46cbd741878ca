//! The words of the format, each beside what it stands for. A value without a word does not compile.

use super::Level;
use crate::domain::agreement::MinimumCoverage;
use crate::domain::clock::{ExclusionRule, StartRule};
use crate::domain::decision::{Outcome, Reason};
use crate::domain::detainer::{DocumentKind, Edition};
use crate::domain::facts::{OrderSigner, PaperKind, Question, StatusProof};
use crate::domain::policy::{Effect, FacialRule, Mode, OpenDetainers, WarrantKind};

macro_rules! words {
    ($($(#[$doc:meta])* $table:ident, $word:ident: $kind:ident { $($value:ident = $text:literal,)+ })+) => {$(
        $(#[$doc])*
        pub const $table: &[(&str, $kind)] = &[$(($text, $kind::$value)),+];
        /// The word of a value.
        #[must_use]
        pub fn $word(value: $kind) -> &'static str {
            match value { $($kind::$value => $text),+ }
        }
    )+};
}

words! {
    /// Whose rule a file holds.
    LEVELS, level: Level { County = "county", City = "city", State = "state", }
    /// Modes.
    MODES, mode: Mode {
        HonorAlways = "honor-always",
        RequireReimbursementGuarantee = "require-reimbursement-guarantee",
        DeclineAll = "decline-all",
        NotifyOnly = "notify-only",
        Conditional = "conditional",
    }
    /// Coverages.
    COVERAGES, coverage: MinimumCoverage { AllCosts = "all-costs", Any = "any", }
    /// What happens to open requests.
    OPEN, open: OpenDetainers { Reevaluate = "reevaluate", Leave = "leave", }
    /// Facial sufficiency.
    FACIAL, facial: FacialRule { Default = "default", Required = "required", NotRequired = "not-required", }
    /// What starts the clock.
    STARTS, start: StartRule {
        OtherwiseReleased = "otherwise-released",
        Receipt = "receipt",
        WarrantServed = "warrant-served",
    }
    /// Which days do not count.
    EXCLUSIONS, exclusion: ExclusionRule {
        None = "none",
        Weekends = "weekends",
        WeekendsAndHolidays = "weekends-and-holidays",
        AsFormPrints = "as-form-prints",
    }
    /// What a court order does.
    EFFECTS, effect: Effect { Mandate = "mandate", Ceiling = "ceiling", }
    /// Editions of the form.
    EDITIONS, edition: Edition {
        I247Of2011 = "I-247-2011",
        I247Of2012 = "I-247-2012",
        I247D = "I-247D",
        I247N = "I-247N",
        I247X = "I-247X",
        I247A = "I-247A",
    }
    /// Administrative warrants.
    WARRANTS, warrant: WarrantKind { I200 = "I-200", I205 = "I-205", }
    /// Documents that come with a form.
    DOCUMENTS, document: DocumentKind {
        Form = "form",
        I200 = "I-200",
        I205 = "I-205",
        I203 = "I-203",
        JudicialWarrant = "judicial-warrant",
        Lift = "lift",
        Notice = "notice",
        Other = "other",
    }
    /// Papers on record.
    PAPERS, paper: PaperKind {
        ProbableCauseFinding = "probable-cause-finding",
        StateOrder = "state-order",
        I200 = "I-200",
        I205 = "I-205",
        FederalOrder = "federal-order",
        I203 = "I-203",
        WarrantServed = "warrant-served",
    }
    /// Who signed an order of removal.
    SIGNERS, signer: OrderSigner {
        Judge = "judge",
        ImmigrationJudge = "immigration-judge",
        ImmigrationOfficer = "immigration-officer",
    }
    /// Questions of history and status.
    QUESTIONS, question: Question {
        PendingCase = "pending_case",
        OutstandingWarrant = "outstanding_warrant",
        PriorRemoval = "prior_removal",
        Reentry = "reentry",
        FinalOrder = "final_order",
        Registry = "registry",
        WatchList = "watch_list",
        ReleaseDatePublic = "release_date_public",
        OtherPurpose = "other_purpose",
    }
    /// What was proved.
    PROOFS, proof: StatusProof { Citizen = "citizen", LawfulStatus = "lawful-status", }
    /// Answers about the hold.
    OUTCOMES, outcome: Outcome { Honor = "honor", Decline = "decline", NeedsReview = "review", }
    /// Reasons.
    REASONS, reason: Reason {
        RuleSatisfied = "rule-satisfied",
        NoPolicyInForce = "no-policy-in-force",
        NoHoldRequested = "no-hold-requested",
        StatusProof = "status-proof",
        FaciallyInsufficient = "facially-insufficient",
        FaciallyUnknown = "facially-unknown",
        NoGuarantee = "no-guarantee",
        BalanceNotReserved = "balance-not-reserved",
        PolicyDeclines = "policy-declines",
        NotifyOnly = "notify-only",
        RuleUnknown = "rule-unknown",
        ReviewDeclined = "review-declined",
        RuleNotSatisfied = "rule-not-satisfied",
        CourtOrder = "court-order",
        StateMandate = "state-mandate",
        StateCeiling = "state-ceiling",
        Overridden = "overridden",
    }
}
