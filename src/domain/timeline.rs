//! Every stretch of a stay, with the ground it stood on: what the page for the person, counsel and the judge shows.

use super::booking::{Booking, Ground};
use super::decision::Decision;
use super::facts::Basis;
use super::gap::Segment;
use super::ids::FacilityId;
use super::time::{Instant, Span};

/// A stretch of custody within one facility and on one ground.
#[derive(Clone, PartialEq, Debug)]
pub struct Stretch<'a> {
    /// When; without an end where it goes on beyond the instant asked about.
    pub span: Span,
    /// Where.
    pub facility: &'a FacilityId,
    /// On what ground.
    pub on: On<'a>,
}

/// On what a stretch of custody stood.
#[derive(Clone, PartialEq, Debug)]
pub enum On<'a> {
    /// The bases are not known.
    NotKnown,
    /// These bases are open throughout.
    Bases(Vec<&'a Basis>),
    /// Custody after T0, with the decision that it rests on where it rests on one.
    AfterT0(&'a Segment, Option<&'a Decision>),
}

/// The stretches from the booked time to the end of custody, or to `at`, in order, without a gap.
#[must_use]
pub fn timeline(booking: &Booking, at: Instant) -> Vec<Stretch<'_>> {
    let stay = booking.stay();
    let mut cuts = vec![stay.start, stay.end];
    cuts.extend(booking.bases.iter().map(|b| b.opened.effective));
    cuts.extend(booking.bases.iter().filter_map(|b| b.closed.as_ref()).map(|c| c.at.effective));
    cuts.extend(booking.arrivals.iter().map(|a| a.at.effective));
    cuts.extend(booking.custody.gaps.iter().flat_map(|g| &g.segments).map(|s| s.span.start));
    cuts.extend(booking.detainers.iter().flat_map(|d| &d.decisions).map(|d| d.at.effective));
    cuts.retain(|cut| stay.start <= *cut && *cut <= stay.end);
    cuts.sort();
    cuts.dedup();
    let mut stretches: Vec<Stretch<'_>> = Vec::new();
    for pair in cuts.windows(2) {
        let &[start, end] = pair else { continue };
        if start > at {
            break;
        }
        let Some((facility, on)) = booking.facility_at(start).zip(standing(booking, start)) else { continue };
        match stretches.last_mut() {
            Some(last) if last.facility == facility && last.on == on => last.span.end = end,
            _ => stretches.push(Stretch { span: Span::new(start, end), facility, on }),
        }
    }
    if let Some(last) = stretches.last_mut().filter(|last| last.span.end > at) {
        last.span.end = Instant::FAR;
    }
    stretches
}

fn standing(booking: &Booking, at: Instant) -> Option<On<'_>> {
    match booking.ground_at(at) {
        Ground::NotInCustody => None,
        Ground::NotKnown => Some(On::NotKnown),
        Ground::Basis(_) => {
            let open = |b: &&Basis| b.opened.effective <= at && b.closed.as_ref().is_none_or(|c| at < c.at.effective);
            Some(On::Bases(booking.bases.iter().filter(open).collect()))
        }
        Ground::Detainer(gap, _) | Ground::None(gap) => {
            let segment = gap.segments.iter().find(|s| s.span.contains(at))?;
            let detainer = segment.rests_on.as_ref().and_then(|rests_on| booking.detainer(&rests_on.detainer));
            Some(On::AfterT0(segment, detainer.and_then(|d| d.decision_at(at))))
        }
    }
}
