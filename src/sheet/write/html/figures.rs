//! What the charts show, added up while rows pass: by month, and by how long people were held. Its size is that of the
//! period in months, not of the report.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::pb;
use crate::sheet::reports::Layout;
use crate::sheet::table::Cell;
use crate::sheet::time;

/// Hours of one bin of the distribution.
pub const BIN: i64 = 12;
/// Bins on each side of the line; the outermost take in all beyond.
pub const SIDE: i64 = 7;

/// The longest period of which every month is shown.
const MOST_DAYS: i64 = 366 * 12;

/// One month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Month {
    /// Holds that began, or that had time, in it.
    pub holds: i64,
    /// Cents.
    pub incurred: i64,
    /// Cents.
    pub covered: i64,
    /// Cents; negative where agreements pay more than it cost.
    pub absorbed: i64,
}

/// How many ended how long before or after a line: as many bins as twice [`SIDE`], the line in the middle.
pub type Distribution = Vec<i64>;

/// What was added up.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    places: Places,
    /// By local month.
    pub months: BTreeMap<String, Month>,
    /// Holds by their end against 48 contiguous hours, and against 48 hours without weekends and holidays.
    pub held: Option<(Distribution, Distribution)>,
    /// ISO code; empty while no amount was seen.
    pub currency: String,
    /// The first and the last month of the report's days; empty: those of its rows.
    pub span: Option<(NaiveDate, NaiveDate)>,
    /// A sum did not fit: then no chart of money is drawn.
    pub overflowed: bool,
}

/// Where in a row stands what is added up.
#[derive(Clone, Copy, Debug, Default)]
struct Places {
    month: Option<usize>,
    count: Option<usize>,
    start: Option<usize>,
    incurred: Option<usize>,
    covered: Option<usize>,
    absorbed: Option<usize>,
    /// T0, time held, and the two readings.
    held: Option<[usize; 4]>,
}

impl Figures {
    /// Of a report with these columns; of one without months they stay empty.
    #[must_use]
    pub fn of(layout: &Layout) -> Self {
        let place = |key: &str| layout.place(key);
        // Holds add up over months alone, and only where months are the whole slicing.
        let count = place("hold_count").filter(|n| *n == 1);
        let held = || Some([place("t0")?, place("held")?, place("contiguous_deadline")?, place("business_deadline")?]);
        let empty = || vec![0; usize::try_from(2 * SIDE).unwrap_or(0)];
        let held = held();
        let places = Places {
            month: place("month"),
            count,
            start: place("start_time").or_else(|| place("since_time")),
            incurred: place("incurred"),
            covered: place("covered"),
            absorbed: place("absorbed"),
            held,
        };
        Self { places, held: held.map(|_| (empty(), empty())), ..Self::default() }
    }

    /// Whether months have holds counted, and what they cost.
    #[must_use]
    pub fn counts_holds(&self) -> bool {
        self.places.incurred.is_some() && (self.places.count.is_some() || self.places.held.is_some())
    }

    /// Whether each hold is counted in one month only, that of its start.
    #[must_use]
    pub fn counts_once(&self) -> bool {
        self.places.count.is_none()
    }

    /// Whether months have who paid.
    #[must_use]
    pub fn has_payers(&self) -> bool {
        self.places.covered.is_some() && self.places.absorbed.is_some() && !self.overflowed
    }

    /// Takes the report's days, so that months without a row are shown too.
    pub fn period(&mut self, manifest: &pb::ReportManifest) {
        let period = manifest.query.as_ref().and_then(|query| query.period);
        let day = |date: Option<pb::Date>| date.as_ref().and_then(time::day);
        let days = period.and_then(|period| Some((day(period.start_date)?, day(period.end_date)?.pred_opt()?)));
        // Over decades the empty ones would leave no room for the others.
        self.span = days.filter(|(from, to)| (*to - *from).num_days() < MOST_DAYS);
    }

    /// Takes a row in.
    pub fn row(&mut self, cells: &[Cell]) {
        let Places { month, count, start, incurred, covered, absorbed, held } = self.places;
        let cell = |place: Option<usize>| place.and_then(|n| cells.get(n));
        let cents = |place| if let Some(Cell::Money(_, cents)) = cell(place) { *cents } else { 0 };
        let label = match (cell(month), cell(start)) {
            (Some(Cell::Text(month)), _) => Some(month.clone()),
            (_, Some(Cell::Time(at, zone))) => Some(at.with_timezone(zone).format("%Y-%m").to_string()),
            _ => None,
        };
        if let Some(Cell::Money(code, _)) = cell(incurred) {
            self.currency.clone_from(code);
        }
        if let Some(label) = label {
            let entry = self.months.entry(label).or_default();
            let holds = match cell(count) {
                Some(Cell::Int(holds)) => *holds,
                _ => i64::from(held.is_some()),
            };
            let sums = [
                (&mut entry.holds, holds),
                (&mut entry.incurred, cents(incurred)),
                (&mut entry.covered, cents(covered)),
                (&mut entry.absorbed, cents(absorbed)),
            ];
            for (sum, more) in sums {
                match sum.checked_add(more) {
                    Some(more) => *sum = more,
                    None => self.overflowed = true,
                }
            }
        }
        if let (Some([t0, length, contiguous, business]), Some((first, second))) = (held, &mut self.held)
            && let (Some(Cell::Time(t0, _)), Some(Cell::Length(length))) = (cells.get(t0), cells.get(length))
            && let Some(end) = t0.checked_add_signed(*length)
        {
            for (bins, line) in [(first, contiguous), (second, business)] {
                if let Some(Cell::Time(line, _)) = cells.get(line)
                    && let Some(bin) = bins.get_mut(bin(end, *line))
                {
                    *bin += 1;
                }
            }
        }
    }
}

/// The bin of an end against a line. What ends at the line has not passed it.
fn bin(end: DateTime<Utc>, line: DateTime<Utc>) -> usize {
    let micros = (end - line).num_microseconds().unwrap_or(if end > line { i64::MAX } else { i64::MIN });
    let width = TimeDelta::hours(BIN).num_microseconds().unwrap_or(i64::MAX);
    // The smallest whole number of bins that is not below it: bins are open below, closed above.
    let above = micros.saturating_add(width - 1).div_euclid(width);
    usize::try_from((above + SIDE - 1).clamp(0, 2 * SIDE - 1)).unwrap_or(0)
}

/// What a bin is, in words.
#[must_use]
pub fn bin_words(n: usize) -> String {
    let low = (i64::try_from(n).unwrap_or(0) - SIDE) * BIN;
    let high = low + BIN;
    match low {
        _ if n == 0 => format!("more than {} h before", -high),
        _ if high == SIDE * BIN => format!("more than {low} h after"),
        low if low < 0 => format!("{} to {} h before", -high, -low),
        _ => format!("{low} to {high} h after"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_against_a_line() {
        let line = DateTime::from_timestamp(1_400_000_000, 0).unwrap();
        let at = |hours: i64, micros: i64| line + TimeDelta::hours(hours) + TimeDelta::microseconds(micros);
        for (end, expected, words) in [
            (at(0, 0), 6, "0 to 12 h before"),
            (at(0, 1), 7, "0 to 12 h after"),
            (at(12, 0), 7, "0 to 12 h after"),
            (at(12, 1), 8, "12 to 24 h after"),
            (at(-12, 0), 5, "12 to 24 h before"),
            (at(-11, 0), 6, "0 to 12 h before"),
            (at(-48, 0), 2, "48 to 60 h before"),
            (at(-500, 0), 0, "more than 72 h before"),
            (at(500, 0), 13, "more than 72 h after"),
        ] {
            assert_eq!((bin(end, line), bin_words(bin(end, line)).as_str()), (expected, words));
        }
    }
}
