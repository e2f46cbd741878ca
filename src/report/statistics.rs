//! How long people were held: counts, sums, means and percentiles of the hold register's rows, for each reading of the 48
//! hours, counted to the hold's own end and to the release.
//!
//! A percentile is a value that occurs: by nearest rank, the smallest value such that at least that share of all values is
//! no larger. So it needs each value; equal ones are kept once with their number, and rows of jails are told to the minute,
//! so that memory grows with the different lengths, not with the holds. Whoever asks states a limit
//! ([`Statistics::len`]). Holds that still run, and custody that still goes on, have no length yet: they are counted apart
//! and are in no other figure.

use super::register::{self, HeldTime, RegisterRow};
use super::{GroupBy, Key, ReportError};
use crate::domain::money::{Overflow, half_even};
use std::collections::BTreeMap;

/// Figures of some lengths of time, in microseconds. Nothing in them where there is no length.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    /// How many lengths.
    pub count: i64,
    /// All of them together.
    pub sum_us: i64,
    /// Their mean, and the values that say most.
    pub figures: Option<Figures>,
}

/// What only lengths that are there have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Figures {
    /// Sum through count, rounded to the microsecond, half to even.
    pub mean_us: i64,
    /// The median, by nearest rank: the lower of the middle two where their number is even.
    pub median_us: i64,
    /// The 90th percentile, by nearest rank.
    pub p90_us: i64,
    /// The longest.
    pub max_us: i64,
}

/// The lengths by reading. Within and past a reading add up to all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ByReading {
    /// All.
    pub all: Summary,
    /// Those that end no later than 48 hours on end.
    pub within_contiguous: Summary,
    /// Those that go on longer.
    pub past_contiguous: Summary,
    /// Those that end no later than 48 hours without weekends and holidays.
    pub within_business: Summary,
    /// Those that go on longer.
    pub past_business: Summary,
}

/// One row: the holds with some keys.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StatisticsRow {
    /// The keys, in the order asked for.
    pub keys: Vec<Key>,
    /// All holds.
    pub holds: i64,
    /// Those that run at the instant counted to: not in `by_hold_end`.
    pub running: i64,
    /// Those after whose T0 custody goes on there, with authority or without: not in `by_release`.
    pub unreleased: i64,
    /// From T0 to the hold's own end.
    pub by_hold_end: ByReading,
    /// From T0 to release, or to a new basis.
    pub by_release: ByReading,
}

/// Past the contiguous reading.
const CONTIGUOUS: usize = 1;
/// Past the business reading.
const BUSINESS: usize = 2;

/// How often each length occurs, by the readings it is past.
#[derive(Clone, Debug, Default)]
struct Lengths(BTreeMap<i64, [i64; 4]>);

impl Lengths {
    fn add(&mut self, time: HeldTime) {
        let past = usize::from(time.past_contiguous_us > 0) * CONTIGUOUS + usize::from(time.past_business_us > 0) * BUSINESS;
        let counts = self.0.entry(time.held_us).or_default();
        if let Some(count) = counts.get_mut(past) {
            *count += 1;
        }
    }

    fn merge(&mut self, other: &Self) {
        for (length, counts) in &other.0 {
            let sums = self.0.entry(*length).or_default();
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
    }

    fn by_reading(&self) -> Result<ByReading, ReportError> {
        Ok(ByReading {
            all: self.summary(|_| true)?,
            within_contiguous: self.summary(|past| past & CONTIGUOUS == 0)?,
            past_contiguous: self.summary(|past| past & CONTIGUOUS != 0)?,
            within_business: self.summary(|past| past & BUSINESS == 0)?,
            past_business: self.summary(|past| past & BUSINESS != 0)?,
        })
    }

    fn summary(&self, is_meant: fn(usize) -> bool) -> Result<Summary, ReportError> {
        let counted = |counts: &[i64; 4]| -> i64 {
            counts.iter().enumerate().filter(|(past, _)| is_meant(*past)).map(|(_, count)| *count).sum()
        };
        let lengths = || self.0.iter().map(|(length, counts)| (*length, counted(counts))).filter(|(_, count)| *count > 0);
        let count: i64 = lengths().map(|(_, count)| count).sum();
        let sum: i128 = lengths().map(|(length, count)| i128::from(length) * i128::from(count)).sum();
        let sum_us = i64::try_from(sum).map_err(|_| Overflow)?;
        let Some((max_us, _)) = lengths().next_back() else { return Ok(Summary::default()) };
        let at_rank = |rank: i64| {
            let mut before = 0;
            let mut found = lengths().filter(|(_, count)| {
                before += count;
                before >= rank
            });
            found.next().map_or(max_us, |(length, _)| length)
        };
        let mean = half_even(sum, i128::from(count)).and_then(|mean| i64::try_from(mean).ok());
        let mean_us = mean.ok_or(Overflow)?;
        let (median_us, p90_us) = (at_rank(rank_of(count, 50)), at_rank(rank_of(count, 90)));
        Ok(Summary { count, sum_us, figures: Some(Figures { mean_us, median_us, p90_us, max_us }) })
    }
}

/// The nearest rank of a percentile among so many values: the smallest whole number that is at least that share of them.
fn rank_of(count: i64, percent: i64) -> i64 {
    let share = i128::from(count) * i128::from(percent);
    i64::try_from((share + 99) / 100).unwrap_or(count)
}

/// The lengths of one row as they come.
#[derive(Clone, Debug, Default)]
struct Group {
    holds: i64,
    running: i64,
    unreleased: i64,
    by_hold_end: Lengths,
    by_release: Lengths,
}

impl Group {
    fn add(&mut self, row: &RegisterRow) {
        self.holds += 1;
        match row.ended {
            Some(_) => self.by_hold_end.add(row.by_hold_end),
            None => self.running += 1,
        }
        if row.released {
            self.by_release.add(row.by_release);
        } else {
            self.unreleased += 1;
        }
    }

    fn merge(&mut self, other: &Self) {
        self.holds += other.holds;
        self.running += other.running;
        self.unreleased += other.unreleased;
        self.by_hold_end.merge(&other.by_hold_end);
        self.by_release.merge(&other.by_release);
    }

    fn row(&self, keys: Vec<Key>) -> Result<StatisticsRow, ReportError> {
        Ok(StatisticsRow {
            keys,
            holds: self.holds,
            running: self.running,
            unreleased: self.unreleased,
            by_hold_end: self.by_hold_end.by_reading()?,
            by_release: self.by_release.by_reading()?,
        })
    }
}

/// Holds counted as they come.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    by: Vec<GroupBy>,
    groups: BTreeMap<Vec<Key>, Group>,
}

impl Statistics {
    /// Sliced by keys; nothing yet.
    #[must_use]
    pub fn new(by: &[GroupBy]) -> Self {
        Self { by: by.to_vec(), ..Self::default() }
    }

    /// Counts one hold.
    pub fn add(&mut self, row: &RegisterRow) {
        let keys: Vec<Key> = self.by.iter().map(|by| register::key(row, *by)).collect();
        self.groups.entry(keys).or_default().add(row);
    }

    /// How many rows there are by now, and how many different lengths are kept for them.
    #[must_use]
    pub fn len(&self) -> (usize, usize) {
        let lengths = self.groups.values().map(|group| group.by_hold_end.0.len() + group.by_release.0.len());
        (self.groups.len(), lengths.sum())
    }

    /// The rows, by their keys, and all of them together.
    ///
    /// # Errors
    /// [`ReportError::Overflow`] where a sum does not fit.
    pub fn finish(self) -> Result<(Vec<StatisticsRow>, StatisticsRow), ReportError> {
        let mut total = Group::default();
        let mut rows = Vec::with_capacity(self.groups.len());
        for (keys, group) in self.groups {
            total.merge(&group);
            rows.push(group.row(keys)?);
        }
        Ok((rows, total.row(Vec::new())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::HOUR_US;
    use proptest::prelude::*;

    fn lengths(hours: &[i64]) -> Lengths {
        let mut all = Lengths::default();
        for hours in hours {
            let past = (hours - 48).max(0) * HOUR_US;
            all.add(HeldTime { held_us: hours * HOUR_US, past_contiguous_us: past, past_business_us: 0, past_deadline_us: past });
        }
        all
    }

    /// Hours; count, sum, mean in minutes, median, 90th percentile, longest.
    #[test]
    fn figures_by_hand() {
        type Case = (&'static [i64], (i64, i64, i64, i64, i64, i64));
        let cases: [Case; 6] = [
            (&[7], (1, 7, 420, 7, 7, 7)),
            (&[2, 5], (2, 7, 210, 2, 5, 5)),
            (&[3, 1, 2], (3, 6, 120, 2, 3, 3)),
            (&[48, 48, 48, 50], (4, 194, 2910, 48, 50, 50)),
            // Ten: the 90th percentile is the ninth, not the longest; the median the fifth.
            (&[10, 20, 30, 40, 50, 60, 70, 80, 90, 100], (10, 550, 3300, 50, 90, 100)),
            // Eleven: nine tenths of eleven are 9.9, so the tenth.
            (&[0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100], (11, 550, 3000, 50, 90, 100)),
        ];
        for (hours, (count, sum, mean_minutes, median, p90, max)) in cases {
            let all = lengths(hours).by_reading().expect("fits").all;
            let figures = all.figures.expect("figures");
            assert_eq!((all.count, all.sum_us), (count, sum * HOUR_US), "{hours:?}");
            assert_eq!(figures.mean_us, mean_minutes * 60_000_000, "{hours:?}");
            let values = [figures.median_us, figures.p90_us, figures.max_us];
            assert_eq!(values, [median * HOUR_US, p90 * HOUR_US, max * HOUR_US], "{hours:?}");
        }
        assert_eq!(lengths(&[]).by_reading(), Ok(ByReading::default()));
    }

    /// 48 hours to the microsecond are within the reading.
    #[test]
    fn the_reading_itself_is_within_it() {
        let parts = lengths(&[47, 48, 49]).by_reading().expect("fits");
        let counts = [parts.within_contiguous, parts.past_contiguous, parts.within_business, parts.past_business];
        assert_eq!(counts.map(|part| part.count), [2, 1, 3, 0]);
        assert_eq!(parts.past_business.figures, None);
    }

    #[test]
    fn means_round_half_to_even() {
        for (us, expected) in [(&[0, 1][..], 0), (&[1, 2], 2), (&[2, 3], 2), (&[2, 2, 3], 2), (&[2, 3, 3], 3)] {
            let mut all = Lengths::default();
            us.iter().for_each(|us| all.add(HeldTime { held_us: *us, ..HeldTime::default() }));
            let figures = all.by_reading().expect("fits").all.figures;
            assert_eq!(figures.map(|figures| figures.mean_us), Some(expected), "{us:?}");
        }
    }

    #[test]
    fn a_sum_that_does_not_fit_is_refused() {
        let mut all = Lengths::default();
        (0..3).for_each(|_| all.add(HeldTime { held_us: i64::MAX / 2, ..HeldTime::default() }));
        assert_eq!(all.by_reading(), Err(Overflow.into()));
    }

    proptest! {
        /// Against the definition, on the sorted values.
        #[test]
        fn percentiles_are_those_of_the_sorted_values(mut hours in proptest::collection::vec(0_i64..60, 1..200)) {
            let figures = lengths(&hours).by_reading().expect("fits").all.figures.expect("figures");
            hours.sort_unstable();
            let least = |percent: usize| {
                let share = |value: i64| hours.iter().filter(|hour| **hour <= value).count() * 100;
                hours.iter().copied().find(|value| share(*value) >= percent * hours.len()).expect("a value") * HOUR_US
            };
            prop_assert_eq!((figures.median_us, figures.p90_us), (least(50), least(90)));
            prop_assert_eq!(figures.max_us, hours.last().expect("a value") * HOUR_US);
        }
    }
}
