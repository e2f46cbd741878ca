//! The rules of §4 written the other way round: hour by hour, with a counter, against the domain's spans.
//!
//! One booking, everything told when it happens, on whole hours that no two events share. The model knows nothing of
//! holds, deadlines or segments; it counts down what is left of the limit and remembers whether it is over.

use super::history::{revision, zone};
use detainer::domain::detainer::Edition;
use detainer::domain::facts::{CloseReason, Fact, StatusProof};
use detainer::domain::policy::Revision;
use detainer::domain::testing::{self, World};
use detainer::domain::time::{HOUR_US, Instant};
use proptest::prelude::*;

/// What happens on the hour.
#[derive(Clone, Copy, Debug)]
enum Event {
    Open,
    Close,
    Receive { needs_service: bool },
    Serve,
    Lift,
    Decline,
    Honor,
    Proof,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => Just(Event::Open),
        6 => Just(Event::Close),
        3 => any::<bool>().prop_map(|needs_service| Event::Receive { needs_service }),
        2 => Just(Event::Serve),
        1 => Just(Event::Lift),
        1 => Just(Event::Decline),
        1 => Just(Event::Honor),
        1 => Just(Event::Proof),
    ]
}

/// One request as the model sees it.
struct Paper {
    needs_service: bool,
    served: bool,
    lifted: bool,
}

/// The model's own state.
struct Model<'a> {
    rule: &'a Revision,
    open: usize,
    honoring: bool,
    proof: bool,
    papers: Vec<Paper>,
    /// Hours left of the limit.
    left: i64,
    /// Whether the clock has ever stood for a basis after it began to run, which leaves nothing of an end-of-day limit.
    gaps: usize,
    in_gap: bool,
    running: bool,
    over: bool,
    first_day_ends: Option<Instant>,
    received: bool,
    /// Under a clock from receipt: from the first receipt to the first T0 after it.
    before_t0: bool,
}

impl Model<'_> {
    fn happen(&mut self, event: Event) {
        let waiting = |p: &&mut Paper| p.needs_service && !p.served;
        match event {
            Event::Open => self.open += 1,
            Event::Close => self.open = self.open.saturating_sub(1),
            Event::Receive { needs_service } => {
                self.papers.push(Paper { needs_service, served: false, lifted: false });
                if !self.received && self.rule.start.needs_named() {
                    self.before_t0 = true;
                }
                self.received = true;
            }
            Event::Serve => {
                if let Some(paper) = self.papers.iter_mut().find(waiting) {
                    paper.served = true;
                }
            }
            Event::Lift => {
                if let Some(paper) = self.papers.iter_mut().find(|p| !p.lifted) {
                    paper.lifted = true;
                }
            }
            Event::Decline => self.honoring = false,
            Event::Honor => self.honoring = true,
            Event::Proof => self.proof = true,
        }
    }

    /// The answer for the hour that begins at `at`, after what happened on it.
    fn hour(&mut self, at: Instant) -> bool {
        let in_gap = self.open == 0;
        if in_gap && !self.in_gap {
            self.gaps += 1;
            self.before_t0 = false;
            if self.first_day_ends.is_none() {
                self.first_day_ends = Some(zone().end_of(zone().date(at)));
            }
        }
        self.in_gap = in_gap;
        let covered = self.honoring && !self.proof && self.papers.iter().any(|p| !p.lifted && (p.served || !p.needs_service));
        let something_left = match self.rule.limit {
            detainer::domain::clock::Limit::Hours(_) => self.left > 0,
            detainer::domain::clock::Limit::EndOfLocalDay => self.gaps <= 1 && self.first_day_ends.is_none_or(|end| at < end),
        };
        // The end of a hold by its deadline, its detainer or its policy comes before a basis of the same hour.
        if self.running && (!something_left || !covered) {
            self.over = true;
        }
        self.running = in_gap && covered && something_left && !self.over;
        if in_gap || self.before_t0 {
            let day = zone().date(at);
            self.left -= i64::from(!self.rule.exclusion.resolve(false, &Default::default()).excludes(day));
        }
        self.running
    }
}

fn tell(world: &mut World, event: Event, at: Instant, n: usize, rule: &Revision) {
    world.at(at);
    let booking = world.booking("B").clone();
    // Refusals (nothing to close, nothing to serve) are nothing to the model either.
    let _ = match event {
        Event::Open => world.open("B", &format!("N{n}"), at),
        Event::Close => {
            let open = booking.bases.iter().find(|b| b.closed.is_none());
            world.close("B", open.map_or("none", |b| b.id.as_str()), CloseReason::BailPosted, at)
        }
        Event::Receive { needs_service } => {
            let edition = if needs_service { Edition::I247X } else { Edition::I247Of2012 };
            world.receive("B", &format!("D{n:02}"), testing::form(edition), None, at)
        }
        Event::Serve => {
            let waiting = booking.detainers.iter().find(|d| d.form.edition.needs_service() && d.service.is_none());
            world.serve("B", waiting.map_or("none", |d| d.id.as_str()), at)
        }
        Event::Lift => {
            let standing = booking.detainers.iter().find(|d| d.lift.is_none());
            world.lift("B", standing.map_or("none", |d| d.id.as_str()), at)
        }
        Event::Decline => world.switch(revision(&format!("R{n}"), 4, 0), at),
        Event::Honor => {
            let again = Revision { id: detainer::domain::ids::RevisionId::trusted(&format!("R{n}")), ..rule.clone() };
            world.switch(again, at)
        }
        Event::Proof => world.fact("B", Fact::StatusProof(StatusProof::Citizen), at),
    };
}

fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(200);
    ProptestConfig { cases, max_shrink_iters: 4_000, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_domain_answers_as_a_counter_does(
        terms in prop_oneof![Just(0u8), Just(1u8), Just(2u8), Just(3u8), Just(5u8)],
        events in prop::collection::vec((1u8..20, event()), 1..18),
        start in 0i64..200,
    ) {
        let rule = revision("R", 0, terms);
        let begin = testing::instant("2024-03-04T05:00:00Z").plus_us(start * HOUR_US);
        let mut world = World::new(zone(), begin);
        world.switch(rule.clone(), begin).unwrap();
        world.book("B", "S", Some(&["A"]), begin.plus_us(HOUR_US)).unwrap_err();
        world.at(begin.plus_us(HOUR_US));
        world.book("B", "S", Some(&["A"]), begin.plus_us(HOUR_US)).unwrap();
        let hours = match rule.limit {
            detainer::domain::clock::Limit::Hours(hours) => i64::from(hours),
            detainer::domain::clock::Limit::EndOfLocalDay => i64::MAX,
        };
        let mut model = Model {
            rule: &rule,
            open: 1,
            honoring: true,
            proof: false,
            papers: Vec::new(),
            left: hours,
            gaps: 0,
            in_gap: false,
            running: false,
            over: false,
            first_day_ends: None,
            received: false,
            before_t0: false,
        };
        let mut answers = Vec::new();
        let mut at = begin.plus_us(HOUR_US);
        for (n, (pass, event)) in events.iter().enumerate() {
            for _ in 0..*pass {
                answers.push((at, model.hour(at)));
                let half = at.plus_us(HOUR_US / 2);
                prop_assert_eq!(world.may_hold("B", half), answers[answers.len() - 1].1, "as known at {}", half);
                at = at.plus_us(HOUR_US);
            }
            tell(&mut world, *event, at, n, &rule);
            model.happen(*event);
        }
        for _ in 0..100 {
            answers.push((at, model.hour(at)));
            at = at.plus_us(HOUR_US);
        }
        for (at, may) in answers {
            let half = at.plus_us(HOUR_US / 2);
            prop_assert_eq!(world.may_hold("B", half), may, "as known at the end, at {}", half);
        }
    }
}
