//! The tables, column by column.
//!
//! Instants are microseconds of UTC since 1970, days are day numbers since 1970-01-01, money is cents. Names of
//! codes are those of the field (DOMAIN.md §2). The text of DESIGN.md §4 is the plan this follows.

use super::{Column, Kind, Table};

const COUNTY: Column = Column::text("county");

/// One row per county: how far its journal goes. The only lock there is.
pub static HEADS: Table = Table {
    name: "heads",
    kind: Kind::Live,
    key: &[COUNTY],
    body: &[
        // The last sequence given out.
        Column::int("seq"),
        // The hashes of the complete subtrees of the journal's tree, largest first, 32 bytes each.
        Column::bytes("frontier"),
        // The last recorded instant.
        Column::int("recorded_at"),
        // The format of the records written.
        Column::int("format"),
        // Counts the operators' acceptances of a clock that went back.
        Column::int("epoch"),
    ],
};

/// What happened: the truth of which every projection is a fold.
pub static JOURNAL: Table = Table {
    name: "journal",
    kind: Kind::Append,
    key: &[COUNTY, Column::int("seq")],
    body: &[
        // The booking or county state it changed.
        Column::text("stream"),
        // The last sequence of the same command.
        Column::int("last_seq"),
        Column::int("recorded_at"),
        // The bytes of the record, exactly as hashed.
        Column::bytes("payload"),
        Column::bytes("leaf"),
        // The tree's root at this sequence; only where a receipt quotes it.
        Column::bytes("root").null(),
    ],
};

/// Which requests were answered, so that a retry gets the same answer.
pub static REQUESTS: Table = Table {
    name: "requests",
    kind: Kind::Append,
    key: &[COUNTY, Column::text("request_id")],
    body: &[Column::bytes("fingerprint"), Column::int("first_seq"), Column::int("last_seq")],
};

/// Identities, sealed with a key of their own. Not a fold: an expunction destroys the key.
pub static SUBJECTS: Table = Table {
    name: "subjects",
    kind: Kind::Live,
    key: &[COUNTY, Column::text("subject")],
    body: &[
        // The subject's own key under the master key; gone after an expunction.
        Column::bytes("wrapped_key").null(),
        Column::bytes("sealed").null(),
        Column::bytes("commitment"),
        // Keyed hashes by which a person is found without opening the seal.
        Column::bytes("a_number_key").null(),
        Column::bytes("local_id_key").null(),
        Column::bytes("name_key").null(),
        Column::bytes("birth_key").null(),
    ],
};

/// Free texts and forms, sealed, by the digest that the journal quotes. Not a fold.
pub static SEALED: Table = Table {
    name: "sealed",
    kind: Kind::Append,
    key: &[COUNTY, Column::bytes("digest")],
    body: &[Column::text("kind"), Column::text("subject").null(), Column::bytes("sealed")],
};

/// Keys of a county, or of the whole installation (county `''`), under the master key. Not a fold.
pub static SECRETS: Table =
    Table { name: "secrets", kind: Kind::Live, key: &[COUNTY, Column::text("kind")], body: &[Column::bytes("sealed")] };

/// Who may call. Not a fold.
pub static PRINCIPALS: Table = Table {
    name: "principals",
    kind: Kind::Live,
    key: &[Column::text("id")],
    body: &[
        // SHA-256 of the token; unique.
        Column::bytes("token_hash"),
        Column::text("display"),
        // The person behind it: two credentials of one person are one (DOMAIN.md §5).
        Column::text("person"),
        // Words with a comma between them.
        Column::text("roles"),
        Column::text("counties"),
        Column::int("created_at"),
        Column::int("expires_at").null(),
        Column::int("revoked_at").null(),
    ],
};

/// Facilities, calendars, revisions, agreements, rates.
pub static SETTINGS: Table = Table {
    name: "settings",
    kind: Kind::Versioned,
    key: &[COUNTY, Column::text("kind"), Column::text("id")],
    body: &[Column::int("effective_from").null(), Column::bytes("body")],
};

/// One stay of one subject.
pub static BOOKINGS: Table = Table {
    name: "bookings",
    kind: Kind::Versioned,
    key: &[COUNTY, Column::text("booking")],
    body: &[
        Column::text("subject"),
        Column::text("facility"),
        Column::int("booked_at"),
        Column::int("bases_known"),
        // The start of the open stretch without a basis.
        Column::int("t0").null(),
        // The end of the authority to hold in that stretch; T0 where none holds.
        Column::int("authority_until").null(),
        // The end of the last stretch without a basis, far away while it is open; none where there never was one.
        Column::int("gap_end").null(),
        // The earliest instant at which a budget may have to be reserved or given back.
        Column::int("settle_at").null(),
        // The instant at which the next warning about that stretch falls due.
        Column::int("alert_at").null(),
        Column::int("ended_at").null(),
        Column::int("end_kind").null(),
    ],
};

/// One request of a booking, with its duties.
pub static DETAINERS: Table = Table {
    name: "detainers",
    kind: Kind::Versioned,
    key: &[COUNTY, Column::text("booking"), Column::text("detainer")],
    body: &[
        Column::text("facility"),
        Column::int("received_at"),
        // The local day of receipt in that facility.
        Column::int("received_day"),
        Column::text("office"),
        Column::int("component"),
        Column::text("event_no"),
        Column::int("form_date").null(),
        Column::int("edition"),
        // 1 open, 2 lifted, 3 replaced.
        Column::int("state"),
        Column::int("lift_reason").null(),
        // When it was lifted or replaced.
        Column::int("closed_at").null(),
        // Since when it is in effect, apart from the decision: served where the form needs it, and so on.
        Column::int("effect_at").null(),
        // The last decision in effective order.
        Column::int("outcome").null(),
        Column::int("reason").null(),
        Column::text("revision").null(),
        Column::int("mode").null(),
        Column::text("agreement").null(),
        Column::int("decisions"),
        Column::int("asks_hold"),
        // All duties with what is due and done; the next one that is due, by itself, for lists.
        Column::bytes("duties"),
        Column::int("next_due").null(),
        // Since when it may wait for review, while it is open: the first such answer in force at its last decision's record,
        // or known ahead then.
        Column::int("review_at").null(),
    ],
};

/// Every answer ever given about a detainer.
pub static DECISIONS: Table = Table {
    name: "decisions",
    kind: Kind::Append,
    key: &[COUNTY, Column::text("booking"), Column::text("detainer"), Column::int("n")],
    body: &[
        Column::int("seq"),
        Column::int("effective_at"),
        Column::int("outcome"),
        Column::int("reason"),
        Column::text("revision").null(),
        Column::int("mode").null(),
    ],
};

/// Custody from T0 whose only ground is a detainer in effect.
pub static HOLDS: Table = Table {
    name: "holds",
    kind: Kind::Versioned,
    key: &[COUNTY, Column::text("booking"), Column::text("hold")],
    body: &[
        // The hold it goes on from, after an interruption.
        Column::text("continues").null(),
        Column::text("detainer"),
        Column::text("revision"),
        Column::int("mode").null(),
        Column::text("facility"),
        Column::text("office"),
        Column::int("edition"),
        Column::int("t0"),
        Column::int("started_at"),
        Column::int("authority_until"),
        // Why the authority ends there.
        Column::int("end_reason"),
        Column::int("deadline"),
        // The two readings that are always shown.
        Column::int("contiguous_deadline"),
        Column::int("business_deadline"),
        Column::int("used_us"),
        // When custody without a basis ended: by release, or by a new basis.
        Column::int("gap_end").null(),
        // Described away by a correction.
        Column::int("voided"),
    ],
};

/// What an agreement with a ceiling still has.
pub static BUDGETS: Table = Table {
    name: "budgets",
    kind: Kind::Versioned,
    key: &[COUNTY, Column::text("agreement")],
    body: &[Column::int("reserved_cents"), Column::int("spent_cents")],
};

/// Acts of two persons on a booking: who may still confirm what, and where to find it.
pub static PROPOSALS: Table = Table {
    name: "proposals",
    kind: Kind::Versioned,
    key: &[COUNTY, Column::text("proposal")],
    body: &[
        Column::text("booking"),
        // The record that proposed it.
        Column::int("seq"),
        Column::int("expires_at"),
        Column::int("confirmed_at").null(),
    ],
};

/// Cost lines, each once; a correction reverses and posts again.
pub static POSTINGS: Table = Table {
    name: "postings",
    kind: Kind::Append,
    key: &[COUNTY, Column::int("seq"), Column::int("n")],
    body: &[
        Column::text("booking"),
        // None for over-detention without a hold.
        Column::text("hold").null(),
        Column::int("t0"),
        Column::text("facility"),
        Column::text("rate").null(),
        Column::text("detainer").null(),
        Column::text("office"),
        Column::int("edition").null(),
        Column::text("revision").null(),
        Column::int("mode").null(),
        Column::text("agreement").null(),
        Column::int("local_day"),
        Column::int("start_at"),
        Column::int("end_at"),
        Column::int("authority"),
        Column::int("incurred_cents"),
        Column::int("covered_cents"),
        Column::int("cause"),
        // The posting it takes back: sequence and number.
        Column::int("reverses_seq").null(),
        Column::int("reverses_n").null(),
        // The day it is accounted on: its own, or the first that was open when its own was closed.
        Column::int("accounted_day"),
        Column::int("marginal_cents").null(),
    ],
};

/// Tables that are folds of the journal: what replay and verification compare row for row.
pub static PROJECTIONS: &[&Table] = &[&SETTINGS, &BOOKINGS, &DETAINERS, &DECISIONS, &HOLDS, &BUDGETS, &PROPOSALS, &POSTINGS];

/// Every table, in the order in which a batch writes them.
pub static ALL: &[&Table] = &[
    &JOURNAL,
    &REQUESTS,
    &SETTINGS,
    &BOOKINGS,
    &DETAINERS,
    &DECISIONS,
    &HOLDS,
    &BUDGETS,
    &PROPOSALS,
    &POSTINGS,
    &SUBJECTS,
    &SEALED,
    &SECRETS,
    &PRINCIPALS,
    &HEADS,
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_table_follows_the_rules() {
        let mut names = HashSet::new();
        for table in ALL {
            assert!(names.insert(table.name), "{} twice", table.name);
            assert!(!table.key.iter().any(|c| c.nullable), "{} has a key that may be null", table.name);
            if table.name != "principals" {
                assert_eq!(table.key.first(), Some(&COUNTY), "{}", table.name);
            }
            let mut columns = HashSet::new();
            for column in table.stored_columns() {
                assert!(columns.insert(column.name), "{}.{} twice", table.name, column.name);
            }
        }
        assert!(PROJECTIONS.iter().all(|p| p.kind != Kind::Live && ALL.contains(p)));
    }
}
