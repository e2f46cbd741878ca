//! A small county's decade with figures worked out by hand: 2014 only with a guarantee, an agreement that ends in between,
//! from 2017 honor always; two jails in two zones.
//!
//! `tgk` (New York) costs $5.00 an hour, `annex` (Chicago) $4.00. The agreement `ice` pays all costs for the office MIA
//! until New Year 2015. Times are UTC.
//!
//! | stay | where | office | T0 | end | held | over | cost | paid by `ice` |
//! |---|---|---|---|---|---|---|---|---|
//! | b1 | tgk | MIA | 2014-03-04 17:00 | a day later, to federal officers | 24 h | | 120.00 | 120.00 |
//! | b2 | tgk | NYC, no guarantee | 2014-03-10 16:00 | 19:00 | | 3 h | 15.00 | |
//! | b3 | tgk | MIA | 2014-12-31 17:00, noon | 2015-01-01 11:00; the hold at midnight with the agreement | 12 h | 6 h | 60.00 + 30.00 | 60.00 |
//! | b4 | tgk | MIA, no guarantee | 2015-06-02 15:00 | at once | | | | |
//! | b5 | annex | MIA | 2017-05-30 17:00, noon | 2017-06-02 05:00, midnight; the hold after 48 h | 48 h | 12 h | 192.00 + 48.00 | |
//! | b6 | tgk | NYC, never served | 2017-05-03 16:00 | 18:00 | | 2 h | 10.00 | |
//! | b8 | tgk | NYC, lifted on 5 June | none | none | | | | |
//! | b7 | tgk | MIA | 2017-06-12 16:00 | runs | 24 h | | 120.00 | |
//!
//! Counted to 2017-06-13 16:00: 108 h held for 492.00 and 23 h over-detained for 103.00; 180.00 of 595.00 are covered.

use super::desk::Desk;
use detainer::domain::detainer::Edition;
use detainer::domain::facts::EndKind;
use detainer::domain::ids::FacilityId;
use detainer::domain::policy::Mode;
use detainer::domain::rate::{DayCount, Rate};
use detainer::domain::testing::{self, day, revision};

/// The instant at which the story stands when it has been told.
pub const NOW: &str = "2017-06-13T16:00:00Z";

fn rate(id: &str, jail: &str, per_day: &str) -> Rate {
    let mut rate = testing::rate(id, per_day, DayCount::Hourly, day("2013-01-01"));
    rate.facility = FacilityId::trusted(jail);
    rate
}

/// Tells all of it; every record at the instant it speaks of.
pub async fn tell(desk: &Desk) {
    let (old, new) = (Edition::I247Of2012, Edition::I247A);
    desk.at("2013-12-03T15:00:00Z").found("America/New_York", &[("tgk", "America/New_York"), ("annex", "America/Chicago")]).await;
    desk.switch(revision("r2013", Mode::RequireReimbursementGuarantee), "2014-01-01T05:00:00Z").await;
    desk.price(rate("p-tgk", "tgk", "120.00")).await;
    desk.price(rate("p-annex", "annex", "96.00")).await;
    desk.at("2014-01-02T15:00:00Z");
    let mut ice = testing::agreement("ice", "America/New_York".parse().unwrap(), day("2014-01-01"));
    ice.end = Some(day("2015-01-01"));
    ice.scope.offices = vec!["MIA".into()];
    desk.promise(ice).await;

    let step = |at: &'static str| (desk.at(at), at);
    let (desk, at) = step("2014-03-03T15:00:00Z");
    desk.book("b1", "tgk", at).await;
    desk.book("b2", "tgk", at).await;
    let (desk, at) = step("2014-03-03T16:00:00Z");
    desk.receive("b1", "MIA", old, false, at).await;
    let (desk, at) = step("2014-03-03T17:00:00Z");
    desk.receive("b2", "NYC", old, false, at).await;
    let (desk, at) = step("2014-03-04T17:00:00Z");
    desk.bail("b1", at).await;
    let (desk, at) = step("2014-03-05T17:00:00Z");
    desk.end("b1", EndKind::FederalCustody, at).await;
    let (desk, at) = step("2014-03-10T16:00:00Z");
    desk.bail("b2", at).await;
    let (desk, at) = step("2014-03-10T19:00:00Z");
    desk.end("b2", EndKind::Released, at).await;

    let (desk, at) = step("2014-12-29T15:00:00Z");
    desk.book("b3", "tgk", at).await;
    let (desk, at) = step("2014-12-30T15:00:00Z");
    desk.receive("b3", "MIA", old, false, at).await;
    let (desk, at) = step("2014-12-31T17:00:00Z");
    desk.bail("b3", at).await;
    let (desk, at) = step("2015-01-01T11:00:00Z");
    desk.end("b3", EndKind::Released, at).await;
    let (desk, at) = step("2015-06-01T14:00:00Z");
    desk.book("b4", "tgk", at).await;
    let (desk, at) = step("2015-06-01T15:00:00Z");
    desk.receive("b4", "MIA", old, false, at).await;
    let (desk, at) = step("2015-06-02T15:00:00Z");
    desk.bail("b4", at).await;
    desk.end("b4", EndKind::Released, at).await;

    let (desk, at) = step("2017-01-26T20:00:00Z");
    desk.switch(revision("r2017", Mode::HonorAlways), at).await;
    let (desk, at) = step("2017-05-01T15:00:00Z");
    desk.book("b5", "annex", at).await;
    desk.book("b6", "tgk", at).await;
    let (desk, at) = step("2017-05-01T16:00:00Z");
    desk.receive("b5", "MIA", new, true, at).await;
    let (desk, at) = step("2017-05-01T18:00:00Z");
    desk.receive("b6", "NYC", new, false, at).await;
    let (desk, at) = step("2017-05-03T16:00:00Z");
    desk.bail("b6", at).await;
    let (desk, at) = step("2017-05-03T18:00:00Z");
    desk.end("b6", EndKind::Released, at).await;
    let (desk, at) = step("2017-05-30T17:00:00Z");
    desk.bail("b5", at).await;
    let (desk, at) = step("2017-06-01T15:00:00Z");
    desk.book("b8", "tgk", at).await;
    let (desk, at) = step("2017-06-01T16:00:00Z");
    desk.receive("b8", "NYC", new, true, at).await;
    let (desk, at) = step("2017-06-02T05:00:00Z");
    desk.end("b5", EndKind::Released, at).await;
    let (desk, at) = step("2017-06-05T16:00:00Z");
    desk.lift("b8", at).await;
    let (desk, at) = step("2017-06-10T15:00:00Z");
    desk.book("b7", "tgk", at).await;
    let (desk, at) = step("2017-06-10T16:00:00Z");
    desk.receive("b7", "MIA", new, true, at).await;
    let (desk, at) = step("2017-06-12T16:00:00Z");
    desk.bail("b7", at).await;
    desk.at(NOW);
}
