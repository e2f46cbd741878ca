//! Which local days are no working days: weekends, and the federal holidays of 5 U.S.C. 6103(a).
//!
//! Holidays are data: one table of rules, [`RULES`], from which every answer here is computed. A new holiday is one
//! line of that table, with the first year in which the law knew it. This room knows no county's own days; those come
//! with a policy revision (see `clock::Exclusion`).
//!
//! **Range.** Exact from 1978 on, when Veterans Day went back to 11 November. For earlier years today's rules are
//! applied backwards (but for holidays younger than the year asked about), which keeps the answers total; no detainer
//! is that old.
//!
//! A holiday is a holiday on the day it is *observed*: one that falls on a Saturday is observed on the Friday before
//! (5 U.S.C. 6103(b)), one on a Sunday on the Monday after (Executive Order 11582). Inauguration Day is not in the
//! table: it binds only federal staff around Washington (DOMAIN.md §4).

use super::time::Date;
use chrono::{Datelike, Weekday};

/// How a holiday finds its day in a year.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Falls {
    /// On a day of a month, moved off a weekend when observed.
    On {
        /// 1 to 12.
        month: u32,
        /// 1 to 31.
        day: u32,
    },
    /// On the n-th such weekday of a month.
    Nth {
        /// 1 to 12.
        month: u32,
        /// A working day of the week.
        weekday: Weekday,
        /// 1 to 4.
        n: u32,
    },
    /// On the last such weekday of a month.
    Last {
        /// 1 to 12.
        month: u32,
        /// A working day of the week.
        weekday: Weekday,
    },
}

/// One line of the table of holidays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rule {
    /// The name the law gives it.
    pub name: &'static str,
    /// The first year in which it was observed.
    pub since: i32,
    /// Its day.
    pub falls: Falls,
}

/// From long before any detainer.
const ALWAYS: i32 = i32::MIN;

/// The legal public holidays of 5 U.S.C. 6103(a), in the order of the year.
pub const RULES: [Rule; 11] = [
    Rule { name: "New Year's Day", since: ALWAYS, falls: Falls::On { month: 1, day: 1 } },
    Rule {
        name: "Birthday of Martin Luther King, Jr.",
        since: 1986,
        falls: Falls::Nth { month: 1, weekday: Weekday::Mon, n: 3 },
    },
    Rule { name: "Washington's Birthday", since: ALWAYS, falls: Falls::Nth { month: 2, weekday: Weekday::Mon, n: 3 } },
    Rule { name: "Memorial Day", since: ALWAYS, falls: Falls::Last { month: 5, weekday: Weekday::Mon } },
    // Signed on 17 June 2021 and observed the very next day.
    Rule { name: "Juneteenth National Independence Day", since: 2021, falls: Falls::On { month: 6, day: 19 } },
    Rule { name: "Independence Day", since: ALWAYS, falls: Falls::On { month: 7, day: 4 } },
    Rule { name: "Labor Day", since: ALWAYS, falls: Falls::Nth { month: 9, weekday: Weekday::Mon, n: 1 } },
    Rule { name: "Columbus Day", since: ALWAYS, falls: Falls::Nth { month: 10, weekday: Weekday::Mon, n: 2 } },
    Rule { name: "Veterans Day", since: ALWAYS, falls: Falls::On { month: 11, day: 11 } },
    Rule { name: "Thanksgiving Day", since: ALWAYS, falls: Falls::Nth { month: 11, weekday: Weekday::Thu, n: 4 } },
    Rule { name: "Christmas Day", since: ALWAYS, falls: Falls::On { month: 12, day: 25 } },
];

impl Rule {
    /// Whether this holiday itself, before any move off a weekend, is on `day`.
    #[must_use]
    pub fn falls_on(&self, day: Date) -> bool {
        if day.year() < self.since {
            return false;
        }
        match self.falls {
            Falls::On { month, day: dom } => day.month() == month && day.day() == dom,
            Falls::Nth { month, weekday, n } => day.month() == month && day.weekday() == weekday && day.day().div_ceil(7) == n,
            Falls::Last { month, weekday } => {
                day.month() == month
                    && day.weekday() == weekday
                    && day.checked_add_days(chrono::Days::new(7)).is_none_or(|later| later.month() != month)
            }
        }
    }

    /// The day of this holiday in `year`, before any move off a weekend; none before the law knew it.
    #[must_use]
    pub fn day_in(&self, year: i32) -> Option<Date> {
        if year < self.since {
            return None;
        }
        match self.falls {
            Falls::On { month, day } => Date::from_ymd_opt(year, month, day),
            Falls::Nth { month, weekday, n } => Date::from_weekday_of_month_opt(year, month, weekday, u8::try_from(n).ok()?),
            Falls::Last { month, weekday } => {
                (4..=5).rev().find_map(|n| Date::from_weekday_of_month_opt(year, month, weekday, n))
            }
        }
    }
}

/// A holiday of one year.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Holiday {
    /// The name the law gives it.
    pub name: &'static str,
    /// The day it commemorates or falls on.
    pub date: Date,
    /// The day on which offices are closed for it: for 1 January on a Saturday, 31 December of the year before.
    pub observed: Date,
}

/// The federal holidays that fall in `year`, in order, each with the day on which it is observed.
///
/// New Year's Day on a Saturday is in the list of its own year although it is observed in the year before.
#[must_use]
pub fn holidays_of(year: i32) -> Vec<Holiday> {
    RULES
        .iter()
        .filter_map(|rule| {
            let date = rule.day_in(year)?;
            Some(Holiday { name: rule.name, date, observed: observed(date)? })
        })
        .collect()
}

/// Whether `day` is a Saturday or a Sunday.
#[must_use]
pub fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

/// Whether a federal holiday is *observed* on `day`. Never true of a Saturday or a Sunday.
#[must_use]
pub fn is_federal_holiday(day: Date) -> bool {
    federal_holiday(day).is_some()
}

/// The name of the federal holiday observed on `day`, if there is one.
#[must_use]
pub fn federal_holiday(day: Date) -> Option<&'static str> {
    let falling_on = |day: Date| RULES.iter().find(|rule| rule.falls_on(day)).map(|rule| rule.name);
    match day.weekday() {
        Weekday::Sat | Weekday::Sun => None,
        Weekday::Fri => falling_on(day).or_else(|| falling_on(day.succ_opt()?)),
        Weekday::Mon => falling_on(day).or_else(|| falling_on(day.pred_opt()?)),
        Weekday::Tue | Weekday::Wed | Weekday::Thu => falling_on(day),
    }
}

/// The working day on which a holiday that falls on `date` is observed.
fn observed(date: Date) -> Option<Date> {
    match date.weekday() {
        Weekday::Sat => date.pred_opt(),
        Weekday::Sun => date.succ_opt(),
        _ => Some(date),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    /// Years as the Office of Personnel Management lists them, by observed day.
    #[test]
    fn whole_years_by_observed_day() {
        let years: [(i32, &[&str]); 5] = [
            // Before Dr. King's birthday was a holiday.
            (
                1985,
                &[
                    "1985-01-01",
                    "1985-02-18",
                    "1985-05-27",
                    "1985-07-04",
                    "1985-09-02",
                    "1985-10-14",
                    "1985-11-11",
                    "1985-11-28",
                    "1985-12-25",
                ],
            ),
            // Independence Day on a Saturday; no Juneteenth yet.
            (
                2020,
                &[
                    "2020-01-01",
                    "2020-01-20",
                    "2020-02-17",
                    "2020-05-25",
                    "2020-07-03",
                    "2020-09-07",
                    "2020-10-12",
                    "2020-11-11",
                    "2020-11-26",
                    "2020-12-25",
                ],
            ),
            // Juneteenth on a Saturday, Independence Day on a Sunday, Christmas on a Saturday.
            (
                2021,
                &[
                    "2021-01-01",
                    "2021-01-18",
                    "2021-02-15",
                    "2021-05-31",
                    "2021-06-18",
                    "2021-07-05",
                    "2021-09-06",
                    "2021-10-11",
                    "2021-11-11",
                    "2021-11-25",
                    "2021-12-24",
                ],
            ),
            // New Year's Day on a Saturday: observed in the year before.
            (
                2022,
                &[
                    "2021-12-31",
                    "2022-01-17",
                    "2022-02-21",
                    "2022-05-30",
                    "2022-06-20",
                    "2022-07-04",
                    "2022-09-05",
                    "2022-10-10",
                    "2022-11-11",
                    "2022-11-24",
                    "2022-12-26",
                ],
            ),
            // New Year's Day on a Sunday, Veterans Day on a Saturday.
            (
                2023,
                &[
                    "2023-01-02",
                    "2023-01-16",
                    "2023-02-20",
                    "2023-05-29",
                    "2023-06-19",
                    "2023-07-04",
                    "2023-09-04",
                    "2023-10-09",
                    "2023-11-10",
                    "2023-11-23",
                    "2023-12-25",
                ],
            ),
        ];
        for (year, days) in years {
            let found: Vec<Date> = holidays_of(year).iter().map(|holiday| holiday.observed).collect();
            let wanted: Vec<Date> = days.iter().map(|text| day(text)).collect();
            assert_eq!(found, wanted, "{year}");
        }
    }

    #[test]
    fn single_days() {
        let cases = [
            ("2021-12-31", Some("New Year's Day")),
            ("2022-01-01", None), // a Saturday: observed the day before
            ("2010-12-31", Some("New Year's Day")),
            ("2022-12-31", None), // a Saturday before a New Year's Day on a Sunday
            ("2020-12-31", None), // a Thursday
            ("2021-06-18", Some("Juneteenth National Independence Day")),
            ("2020-06-19", None),
            ("2021-01-20", None),                                        // Inauguration Day
            ("2025-01-20", Some("Birthday of Martin Luther King, Jr.")), // also Inauguration Day
            ("1985-01-21", None),
            ("1986-01-20", Some("Birthday of Martin Luther King, Jr.")),
            ("2024-05-27", Some("Memorial Day")),
            ("2021-05-24", None), // the fourth Monday of five
            ("2021-05-31", Some("Memorial Day")),
            ("2024-09-02", Some("Labor Day")),
            ("2014-01-01", Some("New Year's Day")),
            ("2023-11-23", Some("Thanksgiving Day")), // the fourth Thursday of five
            ("2023-11-30", None),
            ("2024-07-05", None),
            ("2018-11-12", Some("Veterans Day")),
        ];
        for (text, name) in cases {
            assert_eq!(federal_holiday(day(text)), name, "{text}");
            assert_eq!(is_federal_holiday(day(text)), name.is_some(), "{text}");
        }
    }

    /// The two ways of asking (is this day one, which days has this year) must agree on every day of two centuries.
    #[test]
    fn the_list_and_the_question_agree() {
        let listed: BTreeMap<Date, &str> =
            (1978..=2200).flat_map(holidays_of).map(|holiday| (holiday.observed, holiday.name)).collect();
        let mut at = day("1978-01-01");
        let mut seen = 0;
        while at < day("2200-01-01") {
            assert_eq!(federal_holiday(at), listed.get(&at).copied(), "{at}");
            assert!(!(is_weekend(at) && is_federal_holiday(at)), "{at}");
            seen += usize::from(is_federal_holiday(at));
            at = at.succ_opt().unwrap();
        }
        // Nine a year, a tenth from 1986, an eleventh from 2021; 2200 begins on a Wednesday.
        assert_eq!(seen, 9 * 222 + 214 + 179);
    }

    #[test]
    fn weekends() {
        let cases = [("2024-03-15", false), ("2024-03-16", true), ("2024-03-17", true), ("2024-03-18", false)];
        for (text, weekend) in cases {
            assert_eq!(is_weekend(day(text)), weekend, "{text}");
        }
    }

    #[test]
    fn the_ends_of_the_calendar_have_answers() {
        for at in [Date::MIN, Date::MAX] {
            assert!(holidays_of(at.year()).len() <= RULES.len());
            let _ = is_federal_holiday(at);
        }
    }
}
