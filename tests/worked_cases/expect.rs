//! What must follow: each line of `then` against the state at the end; `ask` lines against the state they stand in.

use super::script::Script;
use super::words::{Words, shout, told};
use detainer::domain::booking::{Booking, Ground, Hold};
use detainer::domain::decision::Decision;
use detainer::domain::gap::Segment;
use detainer::domain::ids::{AgreementId, HoldId};
use detainer::domain::money::Cents;
use detainer::domain::testing::World;
use detainer::domain::time::{HOUR_US, Instant, Zone};

/// Checks one line of `then`.
pub fn check(script: &Script, line: &str) -> Result<(), String> {
    let (world, zone) = (&script.world, script.zone);
    let mut words = Words::new(line, zone);
    let booking = match words.peek().strip_suffix(':') {
        Some(name) if name.starts_with('B') => {
            words.word()?;
            name
        }
        _ => "B1",
    };
    let state = world.booking(booking);
    let verb = words.word()?;
    match verb {
        "at" => {
            let at = words.time()?;
            words.take(":");
            standing(world, zone, booking, at, &mut words)
        }
        "decision" => decision(world, state, zone, &mut words),
        "decisions" => {
            let (id, count) = (name(&mut words)?, words.word()?);
            same(&world.detainer(booking, &id).decisions.len().to_string(), count)
        }
        "hold" => hold(state, zone, &mut words),
        "deadline" => {
            let hold = the_hold(state, &name(&mut words)?)?;
            same_time(hold.deadline, words.time()?, zone)
        }
        "readings" => {
            let hold = the_hold(state, &name(&mut words)?)?;
            same_time(hold.readings.contiguous, words.time()?, zone)?;
            words.must("and")?;
            same_time(hold.readings.business, words.time()?, zone)
        }
        "used" => {
            let hold = the_hold(state, &name(&mut words)?)?;
            let hours: f64 = words.word()?.trim_end_matches('h').parse().map_err(|e| format!("hours: {e}"))?;
            #[expect(clippy::cast_precision_loss)]
            let used = hold.used_us as f64 / HOUR_US as f64;
            same(&used.to_string(), &hours.to_string())
        }
        "holds:" => same(&state.custody.holds.iter().filter(|h| !h.voided).count().to_string(), words.word()?),
        "T0:" => t0(state, zone, &mut words),
        "custody:" => custody(state, zone, &mut words),
        "cost" => cost(world, booking, &mut words),
        "paid" => paid(world, booking, &mut words),
        "balance" => balance(world, &mut words),
        "duty" => duty(world, booking, zone, &mut words),
        other => Err(format!("no such word: {other}")),
    }
}

/// `held on a detainer`, `held on a basis`, `without ground since TIME`, `bases not known`, `not in custody`.
pub fn standing(world: &World, zone: Zone, booking: &str, at: Instant, words: &mut Words<'_>) -> Result<(), String> {
    let booking = world.booking(booking);
    let expected = words.rest();
    let found = match booking.ground_at(at) {
        Ground::NotInCustody => "not in custody".to_owned(),
        Ground::NotKnown => "bases not known".to_owned(),
        Ground::Basis(_) => "held on a basis".to_owned(),
        Ground::Detainer(_, segment) => {
            let on = segment.rests_on.as_ref().map_or_else(String::new, |r| r.detainer.to_string());
            if expected.ends_with(&format!("({on})")) {
                format!("held on a detainer ({on})")
            } else {
                "held on a detainer".into()
            }
        }
        Ground::None(_) => {
            let since = booking.over_since(at);
            if words.take("without") {
                words.must("ground")?;
                words.must("since")?;
                let told_since = words.time()?;
                return same_time(since.ok_or("no instant since when")?, told_since, zone);
            }
            format!("without ground since {}", since.map_or_else(String::new, |at| told(at, zone)))
        }
    };
    same(&found, expected)
}

fn name(words: &mut Words<'_>) -> Result<String, String> {
    Ok(words.word()?.trim_end_matches(':').to_owned())
}

fn same(found: &str, expected: &str) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("it is {found}, expected {expected}")) }
}

fn same_time(found: Instant, expected: Instant, zone: Zone) -> Result<(), String> {
    same(&told(found, zone), &told(expected, zone))
}

fn the_hold<'a>(booking: &'a Booking, id: &str) -> Result<&'a Hold, String> {
    let found = booking.custody.holds.iter().find(|h| !h.voided && h.id == HoldId::trusted(id));
    found.ok_or_else(|| format!("no hold {id}; there are {:?}", booking.custody.holds))
}

/// `decision D1: HONOR RULE_SATISFIED [notify|no notice]` in force now, or `decision D1/2: ... effective TIME under R1`.
fn decision(world: &World, booking: &Booking, zone: Zone, words: &mut Words<'_>) -> Result<(), String> {
    let name = name(words)?;
    let (id, number) = name.split_once('/').map_or((name.as_str(), None), |(id, n)| (id, Some(n)));
    let detainer = world.detainer(booking.id.as_str(), id);
    let found: Option<&Decision> = match number {
        Some(n) => detainer.decisions.iter().find(|d| d.n.to_string() == n),
        None => detainer.decision_at(world.now()),
    };
    let found = found.ok_or_else(|| format!("no such decision; there are {:?}", detainer.decisions))?;
    same(&format!("{} {}", shout(found.outcome), shout(found.reason)), &format!("{} {}", words.word()?, words.word()?))?;
    while !words.is_empty() {
        match words.word()? {
            "effective" => same_time(found.at.effective, words.time()?, zone)?,
            "authority" => {
                words.must("from")?;
                same_time(found.authority_from, words.time()?, zone)?;
            }
            "under" => same(&found.revision.as_ref().map_or_else(String::new, ToString::to_string), words.word()?)?,
            "notify" => same(if found.notify { "yes" } else { "no" }, words.word()?)?,
            "transfer" => same(if found.transfer { "yes" } else { "no" }, words.word()?)?,
            "because" => {
                let trigger = format!("{:?}", found.trigger);
                same(&shout_word(trigger.split('(').next().unwrap_or("")), words.word()?)?;
            }
            other => return Err(format!("no such word: {other}")),
        }
    }
    Ok(())
}

fn shout_word(word: &str) -> String {
    let mut out = String::new();
    for (n, c) in word.chars().enumerate() {
        if c.is_uppercase() && n > 0 {
            out.push('_');
        }
        out.extend(c.to_uppercase());
    }
    out
}

/// `hold 1: TIME to TIME, REASON [continues 1] [rests-on D1]`, or `hold none`.
fn hold(booking: &Booking, zone: Zone, words: &mut Words<'_>) -> Result<(), String> {
    if words.take("none") {
        let real: Vec<&Hold> = booking.custody.holds.iter().filter(|h| !h.voided).collect();
        return if real.is_empty() { Ok(()) } else { Err(format!("there is {real:?}")) };
    }
    let hold = the_hold(booking, &name(words)?)?;
    same_time(hold.start, words.time()?, zone)?;
    words.must("to")?;
    same_time(hold.until, words.time()?, zone)?;
    same(&shout(hold.reason), words.word()?)?;
    let continues = if words.take("continues") { words.word()? } else { "nothing" };
    same(hold.continues.as_ref().map_or("nothing", HoldId::as_str), continues)?;
    if words.take("rests-on") {
        same(hold.detainer.as_str(), words.word()?)?;
    }
    if words.is_empty() { Ok(()) } else { Err(format!("not understood: {}", words.rest())) }
}

/// `T0: TIME[; TIME ...]` for every gap, or `T0: none`.
fn t0(booking: &Booking, zone: Zone, words: &mut Words<'_>) -> Result<(), String> {
    let found: Vec<String> = booking.custody.gaps.iter().map(|g| told(g.t0, zone)).collect();
    let mut expected = Vec::new();
    while !words.is_empty() && !words.take("none") {
        expected.push(told(words.time()?, zone));
        words.take("and");
    }
    same(&format!("{found:?}"), &format!("{expected:?}"))
}

/// `custody: TIME to TIME STATE; TIME to ...` tiles all custody after T0; `open` stands for an end not known.
fn custody(booking: &Booking, zone: Zone, words: &mut Words<'_>) -> Result<(), String> {
    let segments = booking.custody.gaps.iter().flat_map(|g| &g.segments);
    let tell = |s: &Segment| format!("{} to {} {}", told(s.span.start, zone), told(s.span.end, zone), shout(s.authority));
    let found: Vec<String> = segments.map(tell).collect();
    let mut expected = Vec::new();
    while !words.is_empty() {
        let start = words.time()?;
        words.must("to")?;
        let end = if words.take("open") { Instant::FAR } else { words.time()? };
        expected.push(format!("{} to {} {}", told(start, zone), told(end, zone), words.word()?.trim_end_matches(';')));
    }
    same(&format!("{found:#?}"), &format!("{expected:#?}"))
}

/// `cost until TIME: incurred X covered Y absorbed Z`
fn cost(world: &World, booking: &str, words: &mut Words<'_>) -> Result<(), String> {
    words.must("until")?;
    let lines = world.lines(booking, words.time()?);
    let sum = |of: &dyn Fn(&detainer::domain::cost::CostLine) -> Cents| Cents::try_sum(lines.iter().map(of)).unwrap();
    let found = [
        ("incurred", sum(&|l| l.incurred)),
        ("covered", sum(&|l| l.covered)),
        ("absorbed", sum(&|l| l.absorbed().unwrap())),
        ("over-detained", sum(&|l| if l.hold.is_none() { l.incurred } else { Cents::ZERO })),
    ];
    while !words.is_empty() {
        let what = words.word()?;
        let (_, amount) = found.iter().find(|(name, _)| *name == what).ok_or_else(|| format!("no such sum: {what}"))?;
        same(&format!("{what} {amount}"), &format!("{what} {}", words.word()?))?;
    }
    Ok(())
}

/// `paid until TIME G 50.00; H 0.00` for each agreement that a line names.
fn paid(world: &World, booking: &str, words: &mut Words<'_>) -> Result<(), String> {
    words.must("until")?;
    let mut by: std::collections::BTreeMap<String, Cents> = std::collections::BTreeMap::new();
    for line in world.lines(booking, words.time()?) {
        if let Some(agreement) = &line.agreement {
            let sum = by.entry(agreement.to_string()).or_default();
            *sum = sum.try_add(line.covered).unwrap();
        }
    }
    let found: Vec<String> = by.iter().map(|(agreement, covered)| format!("{agreement} {covered}")).collect();
    same(&found.join("; "), words.rest())
}

/// `balance A1: reserved X spent Y`
fn balance(world: &World, words: &mut Words<'_>) -> Result<(), String> {
    let found = world.state().balances.get(&AgreementId::trusted(&name(words)?)).copied().unwrap_or_default();
    same(&format!("reserved {} spent {}", found.reserved, found.spent), words.rest())
}

/// `duty D1: KIND due TIME [done|open]`, or `duty D1: KIND none`
fn duty(world: &World, booking: &str, zone: Zone, words: &mut Words<'_>) -> Result<(), String> {
    let detainer = world.detainer(booking, &name(words)?);
    let kind = words.word()?;
    let found = detainer.duties.iter().find(|d| shout(d.kind) == kind);
    if words.take("none") {
        return found.map_or(Ok(()), |d| Err(format!("there is {d:?}")));
    }
    let found = found.ok_or_else(|| format!("none; there are {:?}", detainer.duties))?;
    words.must("due")?;
    same_time(found.due, words.time()?, zone)?;
    same(if found.done.is_some() { "done" } else { "open" }, if words.is_empty() { "open" } else { words.word()? })
}
