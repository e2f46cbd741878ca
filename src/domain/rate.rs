//! What a day in a jail costs: dated rates per facility, and how days are counted.
//!
//! Rates of one facility never overlap in effect: the one with the latest effective date not after the day
//! governs it, and from its effective date on it ends every older one for good (`DOMAIN.md §2`, `§6`). The
//! book only looks up; `cost` multiplies.

use super::ids::{FacilityId, RateId};
use super::money::Cents;
use super::time::Date;
use std::collections::BTreeMap;

/// How a price per day becomes a price of a stretch (`DOMAIN.md §6`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DayCount {
    /// In proportion to elapsed time: one twenty-fourth for each hour.
    Hourly,
    /// A full day for each local calendar day touched, at its first touched instant.
    CalendarDay,
    /// A full day for each local midnight in custody.
    Midnight,
    /// A full day for each 24 hours begun since T0.
    Per24h,
}

/// A dated price of one facility.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rate {
    /// Its name.
    pub id: RateId,
    /// The jail it prices.
    pub facility: FacilityId,
    /// First local day of the facility it prices.
    pub effective: Date,
    /// First local day it no longer prices; a newer rate ends it in any case.
    pub end: Option<Date>,
    /// The full cost of a day.
    pub per_day: Cents,
    /// What one more person costs for a day, where the county states it.
    pub marginal: Option<Cents>,
    /// An amount for each hold, once per chain of linked holds.
    pub per_hold: Option<Cents>,
    /// How days are counted.
    pub day_count: DayCount,
}

/// Why a rate cannot enter the book.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadRate {
    /// A price below nothing.
    #[error("an amount of a rate may not be negative")]
    Negative,
    /// It would end before it begins.
    #[error("the end {end} must lie after the effective date {effective}")]
    EndsFirst {
        /// The stated first day.
        effective: Date,
        /// The stated first day no longer priced.
        end: Date,
    },
    /// Two rates of a facility on the same day.
    #[error("rate {0} already takes effect at this facility on that day")]
    SameDay(RateId),
    /// The name is taken.
    #[error("rate {0} exists already")]
    SameId(RateId),
}

impl Rate {
    /// Whether the rate makes sense by itself.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn check(&self) -> Result<(), BadRate> {
        let amounts = [Some(self.per_day), self.marginal, self.per_hold];
        if amounts.into_iter().flatten().any(Cents::is_negative) {
            return Err(BadRate::Negative);
        }
        match self.end {
            Some(end) if end <= self.effective => Err(BadRate::EndsFirst { effective: self.effective, end }),
            _ => Ok(()),
        }
    }
}

/// All rates of a county.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RateBook {
    rates: BTreeMap<FacilityId, BTreeMap<Date, Rate>>,
}

impl RateBook {
    /// Enters a rate. It may take effect in the past; older rates of the facility end where it begins.
    ///
    /// # Errors
    /// [`BadRate`] where it makes no sense, or its id, or its facility and effective date, are taken.
    pub fn add(&mut self, rate: Rate) -> Result<(), BadRate> {
        rate.check()?;
        if self.get(&rate.id).is_some() {
            return Err(BadRate::SameId(rate.id));
        }
        let of_facility = self.rates.entry(rate.facility.clone()).or_default();
        if let Some(other) = of_facility.get(&rate.effective) {
            return Err(BadRate::SameDay(other.id.clone()));
        }
        of_facility.insert(rate.effective, rate);
        Ok(())
    }

    /// Takes a rate out, as where a corrected one is to replace it.
    pub fn remove(&mut self, id: &RateId) -> Option<Rate> {
        let (facility, effective) = self.get(id).map(|rate| (rate.facility.clone(), rate.effective))?;
        self.rates.get_mut(&facility)?.remove(&effective)
    }

    /// The rate of that name.
    #[must_use]
    pub fn get(&self, id: &RateId) -> Option<&Rate> {
        self.iter().find(|rate| rate.id == *id)
    }

    /// The rate that prices a local day of a facility, if one does.
    #[must_use]
    pub fn in_force(&self, facility: &FacilityId, day: Date) -> Option<&Rate> {
        let (_, latest) = self.rates.get(facility)?.range(..=day).next_back()?;
        latest.end.is_none_or(|end| day < end).then_some(latest)
    }

    /// Every rate, by facility and effective date.
    pub fn iter(&self) -> impl Iterator<Item = &Rate> {
        self.rates.values().flat_map(BTreeMap::values)
    }

    /// The same book with marginal prices in place of full ones, where a rate states one.
    #[must_use]
    pub fn at_marginal(&self) -> Self {
        let mut book = self.clone();
        for rate in book.rates.values_mut().flat_map(BTreeMap::values_mut) {
            rate.per_day = rate.marginal.unwrap_or(rate.per_day);
        }
        book
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn rate(id: &str, effective: &str, end: Option<&str>) -> Rate {
        Rate {
            id: RateId::trusted(id),
            facility: FacilityId::trusted("tgk"),
            effective: day(effective),
            end: end.map(day),
            per_day: Cents::new(12_600),
            marginal: None,
            per_hold: None,
            day_count: DayCount::Hourly,
        }
    }

    #[test]
    fn the_latest_rate_governs_and_ends_the_older() {
        let mut book = RateBook::default();
        book.add(rate("new", "2024-07-01", Some("2024-10-01"))).unwrap();
        book.add(rate("old", "2024-01-01", None)).unwrap();
        let cases = [
            ("2023-12-31", None),
            ("2024-01-01", Some("old")),
            ("2024-06-30", Some("old")),
            ("2024-07-01", Some("new")),
            ("2024-09-30", Some("new")),
            ("2024-10-01", None), // the older rate does not come back
        ];
        for (at, id) in cases {
            let found = book.in_force(&FacilityId::trusted("tgk"), day(at)).map(|rate| rate.id.as_str());
            assert_eq!(found, id, "{at}");
        }
        assert_eq!(book.in_force(&FacilityId::trusted("elsewhere"), day("2024-03-01")), None);
    }

    #[test]
    fn what_the_book_refuses() {
        let mut book = RateBook::default();
        book.add(rate("a", "2024-01-01", None)).unwrap();
        let negative = Rate { per_hold: Some(Cents::new(-1)), ..rate("n", "2025-01-01", None) };
        let cases = [
            (rate("b", "2024-01-01", None), BadRate::SameDay(RateId::trusted("a"))),
            (rate("a", "2024-02-01", None), BadRate::SameId(RateId::trusted("a"))),
            (
                rate("c", "2024-02-01", Some("2024-02-01")),
                BadRate::EndsFirst { effective: day("2024-02-01"), end: day("2024-02-01") },
            ),
            (negative, BadRate::Negative),
        ];
        for (bad, why) in cases {
            assert_eq!(book.add(bad), Err(why));
        }
        assert_eq!(book.iter().count(), 1, "what is refused leaves no trace");
        let elsewhere = Rate { facility: FacilityId::trusted("metrowest"), ..rate("b", "2024-01-01", None) };
        assert_eq!(book.add(elsewhere), Ok(()), "another facility has its own dates");
    }

    #[test]
    fn a_removed_rate_can_be_replaced() {
        let mut book = RateBook::default();
        book.add(rate("a", "2024-01-01", None)).unwrap();
        assert_eq!(book.remove(&RateId::trusted("zzz")), None);
        assert_eq!(book.remove(&RateId::trusted("a")).map(|rate| rate.id), Some(RateId::trusted("a")));
        assert_eq!(book.in_force(&FacilityId::trusted("tgk"), day("2024-05-01")), None);
        book.add(rate("a", "2024-01-01", None)).unwrap();
    }

    #[test]
    fn marginal_prices_stand_in_where_stated() {
        let mut book = RateBook::default();
        book.add(Rate { marginal: Some(Cents::new(1_900)), ..rate("a", "2024-01-01", None) }).unwrap();
        book.add(rate("b", "2024-06-01", None)).unwrap();
        let prices: Vec<i64> = book.at_marginal().iter().map(|rate| rate.per_day.get()).collect();
        assert_eq!(prices, [1_900, 12_600]);
    }
}
