//! Enums of the contract as people write them: `POLICY_MODE_HONOR_ALWAYS` is `honor-always`.
//!
//! Made from the contract's own names, so that a new value needs nothing here; a new enum needs one line.

use crate::pb;

/// An enum of the contract.
pub trait Word: Copy + TryFrom<i32> + Into<i32> + Send + Sync + 'static {
    /// The value's name in the contract.
    fn contract_name(self) -> &'static str;
    /// The value of a name in the contract.
    fn of_contract_name(name: &str) -> Option<Self>;
}

macro_rules! words {
    ($($name:ident),* $(,)?) => {
        $(impl Word for pb::$name {
            fn contract_name(self) -> &'static str {
                self.as_str_name()
            }
            fn of_contract_name(name: &str) -> Option<Self> {
                Self::from_str_name(name)
            }
        })*
    };
}

words! {
    AgreementState, AuthorityState, BasisCloseReason, BasisKind, BoardOrder, BoardState, BookingEndKind, DayCount,
    DecisionReason, DecisionTrigger, DetainerState, DocumentKind, DutyKind, ErrorReason, ExclusionRule, FacialSufficiency,
    FormEdition, Ground, GroupBy, HoldEndReason, HoldEventKind, HoldState, ImportOutcome, IssuingComponent, LayerAnswer,
    LayerKind, LiftReason, MinimumCoverage, NextAction, NodeKind, NoticeMethod, OpenDetainers, Outcome, OverdetentionCause,
    ChangeCause, ClaimAct, ClaimLineKind, ClaimState, OrderSigner, OverrideAnswer, PaperKind, PolicyMode, PostingCause, ProposalState, Role, ServiceMethod, SourceKind, StartRule, StatusKind, SupposedGuarantee, TriState, UnrecordedFigure,
}

/// Everything before the value's own part: `POLICY_MODE_`.
fn prefix<W: Word>() -> &'static str {
    let zero = W::try_from(0).ok().map_or("", Word::contract_name);
    zero.strip_suffix("UNSPECIFIED").unwrap_or_default()
}

/// The value as people write it; empty for the unspecified one.
#[must_use]
pub fn word<W: Word>(value: W) -> String {
    if value.into() == 0 {
        return String::new();
    }
    let name = value.contract_name();
    name.strip_prefix(prefix::<W>()).unwrap_or(name).to_ascii_lowercase().replace('_', "-")
}

/// The same from the number on the wire; the number itself where this program does not know it.
#[must_use]
pub fn word_of<W: Word>(number: i32) -> String {
    W::try_from(number).map_or_else(|_| format!("value {number}"), word)
}

/// The word as part of a sentence or a table: `honor always`.
#[must_use]
pub fn plain_of<W: Word>(number: i32) -> String {
    word_of::<W>(number).replace('-', " ")
}

/// The value that a word names, whatever its case; never the unspecified one.
#[must_use]
pub fn parse<W: Word>(word: &str) -> Option<W> {
    let name = format!("{}{}", prefix::<W>(), word.trim().to_ascii_uppercase().replace(['-', ' '], "_"));
    W::of_contract_name(&name).filter(|value| (*value).into() != 0)
}

/// All words of an enum, in the contract's order, without the unspecified one.
#[must_use]
pub fn all<W: Word>() -> Vec<String> {
    (1..256).filter_map(|number| W::try_from(number).ok()).map(word).collect()
}

/// The value that a contract's name names, as report keys carry it; the key itself otherwise.
#[must_use]
pub fn plain_key<W: Word>(name: &str) -> String {
    W::of_contract_name(name).map_or_else(|| name.to_owned(), |value| word(value).replace('-', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_both_ways() {
        assert_eq!(word(pb::PolicyMode::HonorAlways), "honor-always");
        assert_eq!(parse("Honor-Always"), Some(pb::PolicyMode::HonorAlways));
        assert_eq!(word(pb::FormEdition::I247201212), "i247-2012-12");
        assert_eq!(parse::<pb::FormEdition>("unspecified"), None);
        assert_eq!(word(pb::PolicyMode::Unspecified), "");
        assert_eq!(word_of::<pb::PolicyMode>(99), "value 99");
        for name in all::<pb::LiftReason>() {
            assert_eq!(parse::<pb::LiftReason>(&name).map(word), Some(name));
        }
        assert_eq!(all::<pb::LiftReason>().len(), 15);
        assert_eq!(plain_key::<pb::PolicyMode>("POLICY_MODE_DECLINE_ALL"), "decline all");
    }
}
