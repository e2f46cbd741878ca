//! Charts as SVG within a page: named and described for those who do not see them, told apart by pattern and not by colour
//! alone, each with the table of its figures behind it.

use chrono::{Datelike as _, NaiveDate};
use maud::{Markup, html};

use super::figures::{BIN, Figures, SIDE, bin_words};
use crate::sheet::table::{Cell, money};
use crate::sheet::write::Mark;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 92.0;
const RIGHT: f64 = 36.0;
const PANEL: f64 = 170.0;
/// Below a panel: the labels of its axis.
const BELOW: f64 = 24.0;
/// Above a panel: its name.
const TOP: f64 = 40.0;

/// How a number is shown.
#[derive(Clone, Copy)]
enum Unit<'a> {
    Count,
    Cents(&'a str),
}

impl Unit<'_> {
    fn shown(self, number: i64) -> String {
        match self {
            Self::Count => Cell::Int(number).shown(false),
            Self::Cents(code) => money(code, number),
        }
    }

    /// For an axis: without cents.
    fn short(self, number: i64) -> String {
        let shown = self.shown(number);
        shown.strip_suffix(".00").map_or(shown.clone(), str::to_owned)
    }
}

/// Bars of one meaning.
struct Series {
    name: &'static str,
    /// `plain`, `hatched` or `dotted`.
    look: &'static str,
    values: Vec<i64>,
}

/// One pair of axes.
struct Panel<'a> {
    name: &'static str,
    unit: Unit<'a>,
    series: Vec<Series>,
}

/// A line across the panels.
struct Line {
    slot: usize,
    /// How far into its slot, from 0 to 1.
    part: f64,
    label: String,
    /// When it is, for the sentence and the table; empty: always.
    when: String,
}

/// A chart.
struct Chart<'a> {
    id: &'static str,
    title: &'static str,
    says: String,
    slots: Vec<String>,
    slot_word: &'static str,
    /// Labels of the slots' edges, and what they count, where these say more than the slots' own.
    edges: Option<(Vec<String>, &'static str)>,
    panels: Vec<Panel<'a>>,
    lines: Vec<Line>,
}

/// The charts that figures are enough for.
#[must_use]
pub fn all(figures: &Figures, marks: &[Mark]) -> Markup {
    each(&[figures], marks)
}

/// Each chart once, of the first figures that are enough for it.
#[must_use]
pub fn each(figures: &[&Figures], marks: &[Mark]) -> Markup {
    let first = |make: fn(&Figures, &[Mark]) -> Option<Markup>| figures.iter().find_map(|figures| make(figures, marks));
    let charts = [
        first(|figures, marks| months(figures, marks).map(|chart| draw(&chart))),
        first(|figures, _| held(figures).map(|chart| draw(&chart))),
        first(|figures, marks| payers(figures, marks).map(|chart| draw(&chart))),
    ];
    html! { @for chart in charts.into_iter().flatten() { (chart) } }
}

/// All months between the first and the last, also those without rows.
fn span(figures: &Figures) -> Vec<String> {
    let month = |text: &str| {
        let (year, month) = text.split_once('-')?;
        Some((year.parse::<i32>().ok()?, month.parse::<i32>().ok()?))
    };
    let of_day = |day: NaiveDate| i32::try_from(day.month()).ok().map(|month| (day.year(), month));
    let rows = figures.months.keys().next().zip(figures.months.keys().next_back());
    let Some(rows) = rows.and_then(|(first, last)| Some((month(first)?, month(last)?))) else { return Vec::new() };
    let days = figures.span.and_then(|(first, last)| Some((of_day(first)?, of_day(last)?))).unwrap_or(rows);
    let (first, last) = (days.0.min(rows.0), days.1.max(rows.1));
    let number = |(year, month): (i32, i32)| year * 12 + month - 1;
    (number(first)..=number(last)).map(|n| format!("{:04}-{:02}", n.div_euclid(12), n.rem_euclid(12) + 1)).collect()
}

fn lines(slots: &[String], marks: &[Mark]) -> Vec<Line> {
    let within = marks.iter().filter_map(|mark| {
        let month = mark.day.format("%Y-%m").to_string();
        let slot = slots.iter().position(|slot| *slot == month)?;
        let part = f64::from(mark.day.day0()) / f64::from(mark.day.num_days_in_month());
        Some(Line { slot, part, label: mark.label.clone(), when: mark.day.to_string() })
    });
    within.collect()
}

fn months<'a>(figures: &'a Figures, marks: &[Mark]) -> Option<Chart<'a>> {
    let slots = span(figures);
    if slots.is_empty() || !figures.counts_holds() || figures.overflowed {
        return None;
    }
    let of = |pick: fn(&super::figures::Month) -> i64| -> Vec<i64> {
        slots.iter().map(|slot| figures.months.get(slot).map_or(0, pick)).collect()
    };
    // A hold that goes on over a month's end has time in two: such counts do not add up.
    let (name, adds_up) = if figures.counts_once() { ("Holds begun", true) } else { ("Holds with time in the month", false) };
    let holds = Series { name, look: "plain", values: of(|month| month.holds) };
    let cost = Series { name: "Incurred", look: "hatched", values: of(|month| month.incurred) };
    let (count, sum) = (holds.values.iter().sum(), cost.values.iter().sum());
    let sum = Unit::Cents(&figures.currency).shown(sum);
    let mut says = if adds_up {
        format!("{} holds begun in {} months cost {sum}.", Unit::Count.shown(count), slots.len())
    } else {
        format!("Custody after T0 cost {sum} in {} months.", slots.len())
    };
    let lines = lines(&slots, marks);
    for line in &lines {
        says.push_str(&format!(" From {} on the policy was: {}.", line.when, line.label));
    }
    let panels = vec![
        Panel { name, unit: Unit::Count, series: vec![holds] },
        Panel { name: "Cost incurred", unit: Unit::Cents(&figures.currency), series: vec![cost] },
    ];
    Some(Chart { id: "months", title: "Holds and dollars by month", says, slots, slot_word: "Month", edges: None, panels, lines })
}

fn held(figures: &Figures) -> Option<Chart<'_>> {
    let (contiguous, business) = figures.held.as_ref()?;
    let count: i64 = contiguous.iter().sum();
    if count == 0 {
        return None;
    }
    let after = |bins: &[i64]| bins.iter().skip(bins.len() / 2).sum::<i64>();
    let says = format!(
        "Of {} holds, {} ended after 48 contiguous hours, and {} after 48 hours without weekends and holidays. What ends at a \
         line has not passed it.",
        Unit::Count.shown(count),
        Unit::Count.shown(after(contiguous)),
        Unit::Count.shown(after(business))
    );
    let slots: Vec<String> = (0..contiguous.len()).map(bin_words).collect();
    let series = |name, look, values: &[i64]| vec![Series { name, look, values: values.to_vec() }];
    let panels = vec![
        Panel {
            name: "Against 48 contiguous hours",
            unit: Unit::Count,
            series: series("Holds, contiguous reading", "plain", contiguous),
        },
        Panel {
            name: "Against 48 hours without weekends and holidays",
            unit: Unit::Count,
            series: series("Holds, business reading", "hatched", business),
        },
    ];
    let lines = vec![Line { slot: slots.len() / 2, part: 0.0, label: "48 h".to_owned(), when: String::new() }];
    let signed = |hours: i64| if hours > 0 { format!("+{hours}") } else { hours.to_string().replace('-', "\u{2212}") };
    let edges = (1 - SIDE..SIDE).map(|n| signed(n * BIN)).collect();
    let edges = Some((edges, "hours before (\u{2212}) and after (+) the line; the outermost bars take in all beyond"));
    Some(Chart {
        id: "held",
        title: "When holds ended, against both 48-hour lines",
        says,
        slots,
        slot_word: "Hold ended",
        edges,
        panels,
        lines,
    })
}

fn payers<'a>(figures: &'a Figures, marks: &[Mark]) -> Option<Chart<'a>> {
    let slots = span(figures);
    if slots.is_empty() || !figures.has_payers() {
        return None;
    }
    let of = |pick: fn(&super::figures::Month) -> i64| -> Vec<i64> {
        slots.iter().map(|slot| figures.months.get(slot).map_or(0, pick)).collect()
    };
    let covered = Series { name: "Covered by agreements", look: "dotted", values: of(|month| month.covered) };
    let absorbed = Series { name: "Absorbed by the county", look: "hatched", values: of(|month| month.absorbed) };
    let unit = Unit::Cents(&figures.currency);
    let says = format!(
        "Agreements pay {}, the county bears {}.",
        unit.shown(covered.values.iter().sum()),
        unit.shown(absorbed.values.iter().sum())
    );
    let lines = lines(&slots, marks);
    let panels = vec![Panel { name: "Covered and absorbed", unit, series: vec![covered, absorbed] }];
    Some(Chart {
        id: "payers",
        title: "Covered against absorbed, by month",
        says,
        slots,
        slot_word: "Month",
        edges: None,
        panels,
        lines,
    })
}

/// A number for a coordinate.
#[expect(clippy::cast_precision_loss, reason = "a place on a screen, not a sum")]
fn place(number: i64) -> f64 {
    number as f64
}

fn slot_place(number: usize) -> f64 {
    place(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Coordinates to a tenth.
fn at(number: f64) -> String {
    format!("{number:.1}")
}

/// Numbers for an axis that reaches over all values: multiples of 1, 2 or 5 times a power of ten.
fn ticks(low: i64, high: i64) -> Vec<i64> {
    let (low, high) = (low.min(0), high.max(1));
    let wanted = high.saturating_sub(low) / 4;
    let mut step = 1_i64;
    let mut factors = [2, 5, 10].into_iter().cycle();
    let mut power = 1_i64;
    while step < wanted {
        let factor = factors.next().unwrap_or(10);
        step = power.saturating_mul(factor);
        if factor == 10 {
            power = power.saturating_mul(10);
        }
        if step == i64::MAX {
            break;
        }
    }
    let first = low.div_euclid(step).saturating_mul(step);
    let mut ticks = vec![first];
    while let Some(next) = ticks.last().and_then(|last| last.checked_add(step)) {
        ticks.push(next);
        if next >= high || ticks.len() > 12 {
            break;
        }
    }
    ticks
}

fn draw(chart: &Chart<'_>) -> Markup {
    // What the edges count takes a line more.
    let one = TOP + PANEL + BELOW + if chart.edges.is_some() { 16.0 } else { 0.0 };
    let height = one * slot_place(chart.panels.len());
    let (title, says) = (format!("chart-{}-title", chart.id), format!("chart-{}-says", chart.id));
    html! {
        figure .chart {
            figcaption { (chart.title) }
            svg viewBox=(format!("0 0 {WIDTH} {height}")) role="img" aria-labelledby=(format!("{title} {says}"))
                xmlns="http://www.w3.org/2000/svg" {
                title id=(title) { (chart.title) }
                desc id=(says) { (chart.says) }
                (patterns(chart.id))
                @for (n, panel) in chart.panels.iter().enumerate() {
                    (axes(chart, panel, TOP + slot_place(n) * one))
                }
            }
            p { (chart.says) }
            (behind(chart))
        }
    }
}

fn patterns(id: &str) -> Markup {
    html! {
        defs {
            pattern id=(format!("{id}-hatched")) width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                rect .hatched-ground width="6" height="6" {}
                line .hatched-line x1="0" y1="0" x2="0" y2="6" stroke-width="5" {}
            }
            pattern id=(format!("{id}-dotted")) width="7" height="7" patternUnits="userSpaceOnUse" {
                rect .dotted-ground width="7" height="7" {}
                circle .dotted-dot cx="3.5" cy="3.5" r="1.6" {}
            }
        }
    }
}

/// One panel: its name, its axis, its bars, the lines across it.
fn axes(chart: &Chart<'_>, panel: &Panel<'_>, top: f64) -> Markup {
    let values = || panel.series.iter().flat_map(|series| series.values.iter().copied());
    let ticks = ticks(values().min().unwrap_or(0), values().max().unwrap_or(0));
    let (low, high) = (ticks.first().copied().unwrap_or(0), ticks.last().copied().unwrap_or(1));
    let height = |value: i64| top + PANEL * (place(high) - place(value)) / (place(high) - place(low));
    let slot = (WIDTH - LEFT - RIGHT) / slot_place(chart.slots.len().max(1));
    let bar = slot * 0.8 / slot_place(panel.series.len().max(1));
    // Labels below, as many as fit.
    let every = [1, 2, 3, 6, 12, 24, 60, 120].into_iter().find(|n| slot * slot_place(*n) > 62.0).unwrap_or(240);
    html! {
        text .name x=(at(LEFT)) y=(at(top - 22.0)) { (panel.name) }
        (legend(chart.id, panel, top - 22.0))
        @for tick in &ticks {
            line .grid x1=(at(LEFT)) x2=(at(WIDTH - RIGHT)) y1=(at(height(*tick))) y2=(at(height(*tick))) {}
            text .tick x=(at(LEFT - 8.0)) y=(at(height(*tick) + 4.0)) text-anchor="end" { (panel.unit.short(*tick)) }
        }
        @for (k, series) in panel.series.iter().enumerate() {
            @for (n, value) in series.values.iter().enumerate().filter(|(_, value)| **value != 0) {
                rect x=(at(LEFT + slot * slot_place(n) + slot * 0.1 + bar * slot_place(k)))
                    y=(at(height((*value).max(0)))) width=(at(bar)) height=(at((height(*value) - height(0)).abs()))
                    class=(format!("bar {}", series.look)) fill=(fill(chart.id, series.look)) {}
            }
        }
        line .base x1=(at(LEFT)) x2=(at(WIDTH - RIGHT)) y1=(at(height(0))) y2=(at(height(0))) {}
        @for line in &chart.lines {
            @let x = LEFT + slot * (slot_place(line.slot) + line.part);
            // Beyond the middle the label stands to the left, so that it stays within.
            @let (shift, anchor) = if x > WIDTH * 0.7 { (-5.0, "end") } else { (5.0, "start") };
            line .mark x1=(at(x)) x2=(at(x)) y1=(at(top - 8.0)) y2=(at(top + PANEL)) {}
            text .mark-name x=(at(x + shift)) y=(at(top + 2.0)) text-anchor=(anchor) { (line.label) }
        }
        @match &chart.edges {
            Some((edges, what)) => {
                @for (n, name) in edges.iter().enumerate() {
                    (below(LEFT + slot * slot_place(n + 1), top + PANEL + 16.0, name))
                }
                (below(LEFT + (WIDTH - LEFT - RIGHT) / 2.0, top + PANEL + 32.0, what))
            }
            None => {
                @for (n, name) in chart.slots.iter().enumerate().step_by(every) {
                    (below(LEFT + slot * (slot_place(n) + 0.5), top + PANEL + 16.0, name))
                }
            }
        }
    }
}

/// A label below the axis.
fn below(x: f64, y: f64, name: &str) -> Markup {
    html! { text .tick x=(at(x)) y=(at(y)) text-anchor="middle" { (name) } }
}

fn fill(id: &str, look: &str) -> String {
    if look == "plain" { "currentColor".to_owned() } else { format!("url(#{id}-{look})") }
}

/// What the bars of a panel mean, where there are several.
fn legend(id: &str, panel: &Panel<'_>, y: f64) -> Markup {
    html! {
        @if panel.series.len() > 1 {
            @for (n, series) in panel.series.iter().enumerate() {
                @let x = LEFT + 200.0 + 220.0 * slot_place(n);
                rect x=(at(x)) y=(at(y - 11.0)) width="26" height="13" class=(format!("bar {}", series.look))
                    fill=(fill(id, series.look)) {}
                text .tick x=(at(x + 34.0)) y=(at(y)) { (series.name) }
            }
        }
    }
}

/// The figures as a table.
fn behind(chart: &Chart<'_>) -> Markup {
    let series = || chart.panels.iter().flat_map(|panel| panel.series.iter().map(move |series| (panel.unit, series)));
    html! {
        details {
            summary { "The figures of this chart" }
            div .wide tabindex="0" role="region" aria-label=(format!("Figures: {}", chart.title)) {
                table {
                    caption { (chart.title) }
                    thead { tr { th scope="col" { (chart.slot_word) } @for (_, one) in series() { th scope="col" .number { (one.name) } } } }
                    tbody {
                        @for (n, slot) in chart.slots.iter().enumerate() {
                            tr {
                                th scope="row" {
                                    (slot)
                                    @for line in chart.lines.iter().filter(|line| line.slot == n && !line.when.is_empty()) {
                                        ", from " (line.when) " " (line.label)
                                    }
                                }
                                @for (unit, one) in series() {
                                    td .number { (unit.shown(one.values.get(n).copied().unwrap_or(0))) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_reaches_over_all_values_in_round_steps() {
        for (low, high, expected) in [
            (0, 0, vec![0, 1]),
            (0, 3, vec![0, 1, 2, 3]),
            (0, 27, vec![0, 10, 20, 30]),
            (0, 100, vec![0, 50, 100]),
            (-150, 900, vec![-500, 0, 500, 1_000]),
        ] {
            assert_eq!(ticks(low, high), expected, "{low} {high}");
        }
        let far = ticks(i64::MIN, i64::MAX);
        assert!(far.len() < 14, "{far:?}");
    }
}
