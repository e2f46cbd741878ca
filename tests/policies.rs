//! The policy packs under `policies/`: each is read, checked and runs its examples; chains decide each day beside a change;
//! files with a mistake are refused with line and node.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use detainer::api::convert::policy::{read_rules, wire_rules};
use detainer::api::time::Fields;
use detainer::domain::agreement::{Agreement, MinimumCoverage, Term};
use detainer::domain::decision::{Decision, Outcome};
use detainer::domain::facts::Stamp;
use detainer::domain::ids::{CountyId, RevisionId};
use detainer::domain::money::Cents;
use detainer::domain::policy::{Revision, check};
use detainer::domain::testing::{World, agreement};
use detainer::domain::time::{Date, HOUR_US, Instant, Zone};
use detainer::policyfile::{self, Chain, Level, Link, Mistake, PolicyFile, Promise, Request};

/// Every policy there must be.
const IDS: [&str; 27] = [
    "ca-sb54",
    "ca-trust-act",
    "colorado-2019",
    "cook-2011",
    "dc-2019",
    "dona-ana-2014",
    "florida-ch908",
    "georgia-hb1105",
    "illinois-trust",
    "iowa-city-2017",
    "king-2014",
    "la-county-2020",
    "massachusetts-lunn",
    "miami-dade-R-1008-13",
    "miami-dade-gimenez-2017",
    "miami-dade-pre2013",
    "multnomah-2013",
    "multnomah-2014",
    "nyc-2011",
    "nyc-2013",
    "pinellas-boa-2018",
    "san-juan-nm-2017",
    "santa-clara-2011",
    "sf-sheriff-2014",
    "suffolk-ny-2016",
    "texas-sb4",
    "washington-kww",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("policies")
}

fn files_in(folder: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let paths = entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "toml"));
    let mut all: Vec<_> = paths
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect();
    all.sort();
    all
}

fn told(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(|mistake| format!("\n  {mistake}")).collect()
}

fn packs() -> BTreeMap<String, PolicyFile> {
    let read = |(name, text): (String, String)| {
        let file = policyfile::parse(&text).unwrap_or_else(|mistakes| panic!("{name}:{}", told(&mistakes)));
        (name, file)
    };
    files_in(&folder()).into_iter().map(read).collect()
}

fn chain(name: &str) -> Chain {
    let text = fs::read_to_string(folder().join("chains").join(name)).unwrap();
    policyfile::parse_chain(&text).unwrap_or_else(|mistakes| panic!("{name}:{}", told(&mistakes)))
}

#[test]
fn every_policy_is_there_under_its_own_name() {
    let packs = packs();
    let ids: Vec<&str> = packs.values().map(|file| file.id.as_str()).collect();
    let mut wanted = IDS.to_vec();
    wanted.sort_unstable();
    let mut found = ids.clone();
    found.sort_unstable();
    assert_eq!(found, wanted);
    for (name, file) in &packs {
        assert_eq!(*name, format!("{}.toml", file.id));
        assert_eq!(check(file.revision()), [], "{name}");
        assert_eq!(file.revision().id, file.id, "{name}");
        assert!(!file.revision().instrument.title.is_empty(), "{name}");
        assert!(file.level != Level::State || !file.revision().layers.is_empty(), "{name}");
    }
}

#[test]
fn every_example_answers_as_it_says() {
    let mut wrong = Vec::new();
    for (name, file) in packs() {
        let ran = policyfile::run_examples(&file);
        assert!(ran.len() >= 3, "{name} has {} examples", ran.len());
        // Both sides: one that is held, where the rule can hold at all, and one that is not.
        assert!(ran.iter().any(|one| one.told.outcome != Outcome::Honor), "{name} declines nobody");
        let never = ["dona-ana-2014", "iowa-city-2017"].contains(&file.id.as_str());
        assert_eq!(ran.iter().any(|one| one.told.outcome == Outcome::Honor), !never, "{name}");
        wrong.extend(
            ran.iter()
                .filter(|one| !one.wrong.is_empty())
                .map(|one| format!("{name}:{}: {}: {:?}", one.line, one.name, one.wrong)),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Tells a request to a county with these rules, each from its instant on; answers the decision at receipt.
fn told_to_a_county(what: &str, zone: Zone, rules: &[(Revision, Instant)], request: &Request, at: Instant) -> Option<Decision> {
    let before = rules.iter().map(|(_, from)| *from).chain([at]).min().unwrap_or(at).plus_us(-2 * HOUR_US);
    let mut world = World::new(zone, before);
    for (rule, from) in rules {
        world.switch(rule.clone(), *from).unwrap_or_else(|why| panic!("{what}: {why:?}"));
    }
    let promised = |term| Agreement { term, ..agreement("a", zone, zone.date(before)) };
    match request.promise {
        Promise::Nothing => {}
        Promise::Signed(MinimumCoverage::AllCosts) => world.promise(promised(Term::AllCosts)).unwrap(),
        Promise::Signed(MinimumCoverage::Any) => {
            world.promise(promised(Term::FlatPerHold { amount: Cents::new(5_000), up_to_hours: 48 })).unwrap();
        }
        // What becomes of a balance shows at T0, not at receipt.
        Promise::NotReserved => return None,
    }
    let before = at.plus_us(-HOUR_US);
    world.at(before);
    world.book("b", "s", Some(&["A"]), before).unwrap();
    for fact in &request.facts {
        world.fact("b", fact.clone(), before).unwrap_or_else(|why| panic!("{what}: {why:?}"));
    }
    world.at(at);
    let served = request.served.then_some(at);
    world.receive("b", "d", request.form.clone(), served, at).unwrap_or_else(|why| panic!("{what}: {why:?}"));
    world.detainer("b", "d").decisions.first().cloned()
}

#[test]
fn a_chain_is_answered_alike_by_a_county_that_switches() {
    let packs = packs();
    let file = |name: &str| packs.get(name.trim_start_matches("../"));
    for name in ["miami-dade.toml", "santa-clara.toml"] {
        let chain = chain(name);
        let earliest: Instant = "2011-01-01T00:00:00Z".parse().unwrap();
        let rule = |link: &Link| {
            let from = link.from.map_or(earliest, |from| chain.zone.start_of(from));
            (chain.rule(link, file).unwrap_or_else(|why| panic!("{name}: {why}")), from)
        };
        let rules: Vec<_> = chain.links.iter().map(rule).collect();
        for case in &chain.cases {
            // After its end a chain tells nothing; a county's last rule would go on.
            let ends = chain.until.map(|until| chain.zone.start_of(until));
            for day in case.days.iter().filter(|day| ends.is_none_or(|ends| day.at < ends)) {
                let what = format!("{name}:{}: {}", day.line, case.name);
                let decision = told_to_a_county(&what, chain.zone, &rules, &case.request, day.at).expect("a decision");
                let policy = decision.revision.as_ref().map_or("none", RevisionId::as_str);
                assert_eq!(
                    (policy, decision.outcome, decision.reason),
                    (&*day.policy, day.expect.outcome, day.expect.reason),
                    "{what}"
                );
                assert!(day.expect.notify.is_none_or(|notify| notify == decision.notify), "{what}");
            }
        }
    }
}

#[test]
fn an_example_is_answered_alike_when_it_is_told_to_a_county() {
    for (name, file) in packs() {
        for example in &file.examples {
            let (what, at) = (format!("{name}: {}", example.name), example.at);
            let rules = [(file.revision().clone(), at.plus_us(-2 * HOUR_US))];
            let Some(decision) = told_to_a_county(&what, file.zone, &rules, &example.request, at) else { continue };
            let wanted = example.request.told(Some(file.revision()), file.zone, at);
            let limit = decision.terms.as_ref().map(|terms| terms.limit);
            assert_eq!(
                (decision.outcome, decision.reason, decision.notify, decision.transfer, limit),
                (wanted.outcome, wanted.reason, wanted.notify, wanted.transfer, wanted.limit),
                "{what}"
            );
        }
    }
}

#[test]
fn no_broken_text_breaks_the_reader() {
    let cut = (0..SOUND.len()).filter_map(|n| SOUND.get(..n).map(str::to_owned));
    let torn = (0..SOUND.len()).map(|n| SOUND.char_indices().filter(|(m, _)| *m != n).map(|(_, letter)| letter).collect());
    let odd = ["{", "]", "\"", "=", "\u{0}", "\u{1F600}", "\n"];
    let put = odd.iter().flat_map(|odd| (0..SOUND.len()).step_by(3).map(move |n| format!("{}{odd}{}", &SOUND[..n], &SOUND[n..])));
    let mut refused = 0;
    for text in cut.chain(torn).chain(put) {
        if let Err(mistakes) = policyfile::parse(&text) {
            refused += 1;
            assert!(!mistakes.is_empty() && mistakes.iter().all(|m| m.line > 0 && m.column > 0 && !m.why.is_empty()), "{text}");
        }
        let _ = policyfile::parse_chain(&text);
    }
    assert!(refused > 1_000, "{refused}");
}

/// What a server reads out of the message that a file becomes is the file's own rule. The contract asks for the days of
/// adoption and of the paper, which not every source tells: whoever activates such a file has to state them.
#[test]
fn every_policy_crosses_the_wire_unchanged() {
    let county = CountyId::trusted("c");
    let never = Stamp { effective: Instant::MIN, recorded: Instant::MIN, known: Instant::MIN, seq: 0 };
    let day: Date = "2014-01-01".parse().unwrap();
    for (name, file) in packs() {
        let mut rule = Revision { id: RevisionId::trusted(""), effective: never, ..file.revision().clone() };
        rule.adopted = rule.adopted.or(Some(day));
        let layers = rule.layers.iter_mut().map(|layer| &mut layer.instrument);
        for paper in layers.chain([&mut rule.instrument]) {
            paper.date = paper.date.or(Some(day));
        }
        let mut fields = Fields::new();
        let read = read_rules(&mut fields, "", &county, &wire_rules(&county, &rule));
        assert!(fields.finish().is_ok(), "{name}");
        assert_eq!(read, Some(rule), "{name}");
    }
}

#[test]
fn chains_decide_the_days_beside_each_change() {
    let packs = packs();
    let file = |name: &str| packs.get(name.trim_start_matches("../"));
    for name in ["miami-dade.toml", "santa-clara.toml"] {
        let chain = chain(name);
        let ran = chain.run(file).unwrap_or_else(|why| panic!("{name}: {why}"));
        let wrong: Vec<_> = ran.iter().filter(|one| !one.wrong.is_empty()).collect();
        assert!(wrong.is_empty(), "{name}: {wrong:#?}");
        let asked: Vec<Date> = chain.days_asked().collect();
        for day in chain.boundaries(file) {
            assert!(asked.contains(&day), "{name}: nothing is asked about {day}");
            assert!(asked.contains(&day.pred_opt().unwrap()), "{name}: nothing is asked about the day before {day}");
        }
    }
}

/// A policy without a mistake, whose parts the table below replaces.
const SOUND: &str = r#"format = 1
id = "p"
title = "T"
jurisdiction = "J"
state = "XX"
level = "county"
zone = "America/New_York"
effective = 2014-01-01
text = "Words."
confidence = "none: made up"
sources = ["made up"]
mode = "conditional"
condition = { all = [{ use = "old" }, { age_at_least = 18 }] }

[instrument]
title = "I"

[define.old]
conviction = { classes = ["violent"], within = { conviction_years = 10 } }

[[example]]
name = "n"
at = 2014-02-01
form = "I-247-2012"
expect = { hold = "review", reason = "rule-unknown" }
"#;

/// Each case replaces a part of the sound file; line, node and part of the reason must be told.
fn broken() -> Vec<(&'static str, String, usize, &'static str, &'static str)> {
    let tree = "condition = { all = [{ use = \"old\" }, { age_at_least = 18 }] }";
    let put = |new: &str| (tree, new.to_owned());
    let deep = format!("condition = {}{{ age_at_least = 18 }}{}", "{ any = [".repeat(12), "] }".repeat(12));
    let many =
        format!("condition = {{ any = [{}] }}", (1..=51).map(|n| format!("{{ age_at_least = {n} }},")).collect::<String>());
    let ages = |m: usize| (1..=45).map(|n| format!("{{ age_at_least = {} }},", n + m)).collect::<String>();
    let wide = format!("condition = {{ any = [{}] }}", (0..5).map(|m| format!("{{ all = [{}] }},", ages(m))).collect::<String>());
    let round = "{ use = \"old\" }, { use = \"new\" }] }\n[define.new]\nnot = { use = \"newer\" }\n[define.newer]\nnot = { use = \"new\" }";
    let rule = |(from, to): (&'static str, String), line, node, why| (from, to, line, node, why);
    vec![
        // TOML itself.
        ("format = 1", "format = = 1".into(), 1, "", ""),
        ("id = \"p\"", "id = \"p\"\nid = \"q\"".into(), 3, "", "duplicate key"),
        // Keys, types and words.
        ("format = 1", "format = 2".into(), 1, "format", "must be 1"),
        ("mode =", "moode =".into(), 12, "moode", "did you mean `mode`"),
        ("id = \"p\"", "id = \"a b\"".into(), 2, "id", "may hold only"),
        ("id = \"p\"", "id = 7".into(), 2, "id", "must be a text in quotes, not integer"),
        ("zone = \"America/New_York\"", "zone = \"Miami\"".into(), 7, "zone", "IANA"),
        ("level = \"county\"", "level = \"state\"".into(), 1, "layer", "is required"),
        ("effective = 2014-01-01", "effective = \"2014-01-01\"".into(), 8, "effective", "without quotes"),
        ("effective = 2014-01-01", "effective = 2014-01-01\nuntil = 2014-01-01".into(), 9, "until", "must lie after"),
        ("text = \"Words.\"", format!("text = \"{}\"", "x".repeat(5_001)), 9, "text", "1 to 5000"),
        ("sources = [\"made up\"]", "sources = []".into(), 1, "sources", "is required"),
        ("mode = \"conditional\"", "mode = \"decline-al\"".into(), 12, "mode", "did you mean `decline-all`"),
        ("mode = \"conditional\"", "mode = \"decline-all\"".into(), 13, "condition", "goes only with the mode CONDITIONAL"),
        ("mode = \"conditional\"", "mode = \"conditional\"\nnotice_hours = 49".into(), 13, "notice_hours", "1 to 48"),
        ("[instrument]", "[clock]\nlimit = \"end-of-day\"\nexclusion = \"weekends\"\n[instrument]".into(), 17, "clock.exclusion", "must be `none`"),
        ("[instrument]\ntitle", "[instrument]\ntitel".into(), 16, "instrument.titel", "did you mean `title`"),
        // Trees.
        rule(put("condition = { age_at_lest = 18 }"), 13, "condition.age_at_lest", "did you mean `age_at_least`"),
        rule(put("condition = { blue_eyes = true }"), 13, "condition.blue_eyes", "is no condition"),
        rule(put("condition = { age_at_least = \"18\" }"), 13, "condition.age_at_least", "whole number"),
        rule(put("condition = { age_at_least = 0 }"), 13, "condition.age_at_least", "1 to 150"),
        rule(put("condition = { served = false }"), 13, "condition.served", "{ not = { served = true } }"),
        rule(put("condition = { served = true, booking_form = true }"), 13, "condition", "must have one key"),
        rule(put("condition = { all = [] }"), 13, "condition.all", "is empty"),
        rule(put("condition = { all = [\n  { served = true },\n  { not = { served = true } },\n] }"), 15, "condition.all[1]", "never true"),
        rule(put("condition = { any = [\n  { served = true },\n  { served = true },\n] }"), 15, "condition.any[1]", "says the same"),
        rule(put("condition = { any = [\n  { served = true },\n  { constant = true },\n] }"), 15, "condition.any[1]", "decides alone"),
        rule(put("condition = { all = [\n  { form_edition = [\"I-247A\"] },\n  { form_edition = [\"I-247D\"] },\n] }"), 15, "condition.all[1]", "contradicts"),
        rule(put("condition = { any = [\n  { age_at_least = 21 },\n  { age_at_least = 18 },\n] }"), 14, "condition.any[0]", "can never matter: condition.any[1] is true"),
        rule(put("condition = { any = [\n  { served = true },\n  { all = [{ served = true }, { booking_form = true }] },\n] }"), 15, "condition.any[1]", "can never matter"),
        rule(put("condition = { all = [\n  { conviction = { at_least = 3 } },\n  { not = { conviction = {} } },\n] }"), 15, "condition.all[1]", "contradicts"),
        rule(put("condition = { form_edition = [\"I-247N\"] }"), 13, "condition", "can never lead to a hold"),
        rule(put("condition = { administrative_warrant = [] }"), 13, "condition.administrative_warrant", "is empty"),
        rule(put("condition = { administrative_warrant = [\"I-206\"] }"), 13, "condition.administrative_warrant[0]", "did you mean"),
        rule(put("condition = { pending_charge = { classes = [\"a\"], except = [\"a\"] } }"), 13, "condition.pending_charge.except", "takes away every class"),
        rule(put("condition = { conviction = { within = { tolled = true } } }"), 13, "condition.conviction.within", "needs"),
        rule(put("condition = { pending_case = [\"x\"] }"), 13, "condition.pending_case", "goes only with a registry"),
        rule(put(&deep), 13, "condition.any[0].any[0].any[0].any[0].any[0].any[0].any[0].any[0].any[0].any[0].any[0].any[0]", "deeper than 12"),
        rule(put(&many), 13, "condition.any", "at most 50"),
        rule(put(&wide), 13, "condition.any[4].all[14]", "at most 200"),
        // Definitions.
        ("use = \"old\"", "use = \"odl\"".into(), 13, "condition.all[0].use", "did you mean `old`"),
        ("{ use = \"old\" }", "{ served = true }".into(), 18, "define.old", "is used nowhere"),
        ("{ use = \"old\" }, { age_at_least = 18 }] }", round.into(), 17, "define.newer.not.use", "new -> newer -> new"),
        ("conviction_years = 10", "conviction_years = 151".into(), 19, "define.old.conviction.within.conviction_years", "1 to 150"),
        // Layers.
        ("[[example]]", "[[layer]]\nkind = \"county-rule\"\ncondition = { served = true }\n[[example]]".into(), 22, "layer[0].kind", "is none of"),
        ("[[example]]", "[[layer]]\nkind = \"court-order\"\ncondition = { served = true }\n[[example]]".into(), 21, "layer[0].effect", "is required"),
        ("[[example]]", "[[layer]]\nkind = \"state-ceiling\"\ncondition = { constant = false }\n[[example]]".into(), 23, "layer[0].condition", "never true"),
        ("[[example]]", "[[layer]]\nkind = \"state-ceiling\"\nfrom = 2014-01-02\nuntil = 2014-01-01\ncondition = { served = true }\n[[example]]".into(), 24, "layer[0].until", "must lie after"),
        // Examples.
        ("at = 2014-02-01", "at = 2013-02-01".into(), 21, "example[0].at", "outside the policy's dates"),
        ("form = \"I-247-2012\"", "form = \"I-247\"".into(), 24, "example[0].form", "is none of"),
        ("form = \"I-247-2012\"", "form = { edition = \"I-247N\", hold = true }".into(), 24, "example[0].form", "asks for notice only"),
        ("hold = \"review\"", "hold = \"maybe\"".into(), 25, "example[0].expect.hold", "is none of"),
        (", reason = \"rule-unknown\"", String::new(), 25, "example[0].expect.reason", "is required"),
    ]
}

#[test]
fn a_file_with_a_mistake_is_refused_with_line_and_node() {
    policyfile::parse(SOUND).unwrap_or_else(|mistakes| panic!("the sound file:{}", told(&mistakes)));
    for (n, (from, to, line, node, why)) in broken().into_iter().enumerate() {
        assert_eq!(SOUND.matches(from).count(), 1, "case {n}: {from}");
        let mistakes = policyfile::parse(&SOUND.replacen(from, &to, 1)).expect_err(&format!("case {n}: {to}"));
        let named = mistakes.iter().any(|m| m.line == line && m.column > 0 && m.node == node && m.why.contains(why));
        assert!(named, "case {n}: line {line}, {node}: {why}; but:{}", told(&mistakes));
    }
    let long = format!("{SOUND}\n# {}", "x".repeat(200_000));
    assert!(policyfile::parse(&long).is_err_and(|mistakes| mistakes.iter().any(|m| m.why.contains("200000 bytes"))));
}

#[test]
fn every_mistake_is_told_at_once() {
    let text = SOUND.replace("zone = \"America/New_York\"", "zone = \"Miami\"").replace("id = \"p\"", "id = \"a b\"");
    let mistakes = policyfile::parse(&text).expect_err("two mistakes");
    assert_eq!(mistakes.iter().map(|m| (m.line, m.column)).collect::<Vec<_>>(), [(2, 6), (7, 8)], "{}", told(&mistakes));
    assert_eq!(mistakes[0].to_string(), "line 2, column 6: id: may hold only letters, digits, '-', '_', '.' and '~'");
}

#[test]
fn definitions_that_double_at_each_step_stop_at_the_limit() {
    let doubled = (0..30).map(|n| format!("[define.d{n}]\nall = [{{ use = \"d{}\" }}, {{ use = \"d{}\" }}]\n", n + 1, n + 1));
    let text = SOUND
        .replace("{ use = \"old\" }", "{ use = \"d0\" }")
        .replace("[define.old]", &format!("{}[define.d30]", doubled.collect::<String>()));
    let mistakes = policyfile::parse(&text).expect_err("too large");
    assert!(mistakes.iter().any(|m| m.why.contains("deeper than 12")), "{}", told(&mistakes));
    assert!(mistakes.len() < 1_000, "{} mistakes", mistakes.len());
}

#[test]
fn what_nests_deeper_than_the_parser_reads_is_named() {
    let below = |within: &str, key: &str| format!("{within}{}", key.repeat(12));
    let nots = |times: usize| format!("condition = {}true{}\n", "{ not = ".repeat(times), " }".repeat(times));
    let lists = format!("condition = {}true{}\n", "{ any = [{ served = true }, ".repeat(60), "] }".repeat(60));
    let dotted = format!("condition{} = {{ served = true }}\n", ".not".repeat(20_000));
    let facts = format!("[[example]]\nfacts = {}{}\n", "[".repeat(100), "]".repeat(100));
    let cases = [
        (nots(5_000), 1, below("condition", ".not")),
        (format!("title = \"t\"\n[[layer]]\nkind = \"court-order\"\n{}", nots(81)), 4, below("layer[0].condition", ".not")),
        (format!("[define.old]\n{}", nots(90).replace("condition = { not", "not")), 2, below("define.old", ".not")),
        (lists, 1, below("condition", ".any[1]")),
        (format!("# a.b.c, and so on ....\n\n{dotted}"), 3, format!("condition{}", ".not".repeat(11))),
        (facts, 2, format!("example[0].facts{}", "[0]".repeat(80))),
    ];
    for (n, (text, line, node)) in cases.into_iter().enumerate() {
        let mistakes = policyfile::parse(&text).expect_err("no file nests so deep");
        let named = mistakes.iter().any(|m| m.line == line && m.node == node && m.why.contains("12 deep at most"));
        assert!(named, "case {n}: {line}, {node}; but:{}", told(&mistakes));
    }
}

#[test]
fn a_chain_with_a_mistake_is_refused() {
    let sound = fs::read_to_string(folder().join("chains/santa-clara.toml")).unwrap();
    let packs = packs();
    let file = |name: &str| packs.get(name.trim_start_matches("../"));
    let run = |from: &str, to: &str| {
        assert!(sound.contains(from), "{from}");
        let text = sound.replacen(from, to, 1);
        match policyfile::parse_chain(&text) {
            Ok(chain) => match chain.run(file) {
                Ok(ran) => ran.into_iter().flat_map(|one| one.wrong).collect::<Vec<_>>().join("; "),
                Err(why) => why,
            },
            Err(mistakes) => told(&mistakes),
        }
    };
    assert_eq!(run("[[link]]", "[[link]]"), "");
    for (from, to, why) in [
        ("from = 2011-10-18", "from = 2011-10-17", "../santa-clara-2011.toml: is not in force yet"),
        ("until = 2019-06-04", "until = 2019-06-05", "../santa-clara-2011.toml: ends before"),
        ("file = \"../santa-clara-2011.toml\"", "file = \"../gone.toml\"", "../gone.toml: there is no such file"),
        ("\"../ca-trust-act.toml\"", "\"../cook-2011.toml\"", "must be a law of the state"),
        ("file = \"../santa-clara-2011.toml\"", "file = \"../sf-sheriff-2014.toml\"", "is not in force yet"),
        ("under =", "udner =", "link[0].udner: is not known here; did you mean `under`?"),
        ("[[case]]", "[[link]]\nfile = \"../x.toml\"\n[[case]]", "link[1].from: is required"),
        ("policy = \"none\", hold = \"review\"", "policy = \"x\", hold = \"review\"", "policy must be x, and is none"),
        (
            "hold = \"honor\", reason = \"rule-satisfied\", notify = false, hours = 24",
            "hold = \"decline\", reason = \"rule-satisfied\", notify = true, hours = 48",
            "hold must be decline, and is honor; notify must be true, and is false; hours must be 48, and is 24",
        ),
    ] {
        let told = run(from, to);
        assert!(told.contains(why), "{to}: {told}");
    }
}

#[test]
fn a_listing_shows_the_whole_rule() {
    let packs = packs();
    let shown = policyfile::render(&packs["santa-clara-2011.toml"]);
    let wanted = "  honored where:
    all of
      reimbursement guaranteed, all costs
      at least 18 years old
      any of
        a conviction of ca_serious_or_violent_felony, serving now
        a conviction of ca_serious_or_violent_felony within 10 years of conviction or 5 years of release, whichever is later
        a conviction of homicide
";
    for part in
        [wanted, "  limit: 24 hours\n", "  notify: no\n", "in force from: 2011-10-18", "until: 2019-06-04", "| The jail honors"]
    {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    let law = policyfile::render(&packs["colorado-2019.toml"]);
    let layer = "  layer 1: law of the state, HB19-1124, from 2019-05-28, declines where:\n    not\n      a warrant signed by a federal judge\n";
    assert!(law.contains(layer), "{law}");
}

#[test]
fn a_comparison_says_what_changed_and_whose_answer_with_it() {
    let packs = packs();
    let (clauses, examples) = policyfile::diff(&packs["nyc-2011.toml"], &packs["nyc-2013.toml"]);
    let clauses: Vec<String> = clauses.iter().map(ToString::to_string).collect();
    for wanted in [
        "condition.any: removed: any prior conviction (can only honor less)",
        "condition.any: removed: a pending criminal case (can only honor less)",
        "condition.any: added: a conviction of nyc_covered_felony except ny_youthful_offender (can only honor more)",
    ] {
        assert!(clauses.contains(&wanted.to_owned()), "{wanted}\n{}", clauses.join("\n"));
    }
    let petty =
        examples.iter().find(|one| &*one.name == "an earlier conviction of any kind").expect("it is answered differently");
    assert_eq!(petty.before.to_string(), "honor (rule-satisfied), notify yes, transfer yes");
    assert_eq!(petty.after.to_string(), "review (rule-unknown), notify no, transfer no");
    assert_eq!(&*petty.of, "nyc-2011");
    // The same policy: nothing.
    let same = policyfile::diff(&packs["nyc-2011.toml"], &packs["nyc-2011.toml"]);
    assert_eq!(same, (vec![], vec![]));
}

#[test]
fn a_mode_is_compared_as_the_tree_it_stands_for() {
    let packs = packs();
    let between = |one: &str, other: &str| {
        let (clauses, examples) = policyfile::diff(&packs[one], &packs[other]);
        (clauses.iter().map(ToString::to_string).collect::<Vec<_>>(), examples)
    };
    let (clauses, _) = between("cook-2011.toml", "miami-dade-R-1008-13.toml");
    let either = "(a conviction of fl_forcible_felony_776.08; or a pending charge of fl_nonbondable_art1_s14)";
    let wanted = format!("condition.all: added: {either} (can only honor less)");
    assert!(clauses.contains(&wanted), "{}", clauses.join("\n"));
    let (clauses, _) = between("multnomah-2014.toml", "miami-dade-gimenez-2017.toml");
    assert!(
        clauses.contains(&"condition: a judicial warrant -> always (can only honor more)".to_owned()),
        "{}",
        clauses.join("\n")
    );
    let (clauses, _) = between("multnomah-2014.toml", "dona-ana-2014.toml");
    assert!(
        clauses.contains(&"condition: a judicial warrant -> never (can only honor less)".to_owned()),
        "{}",
        clauses.join("\n")
    );
    // Two laws of different years are compared as rules: SB 54 honors nothing that the TRUST Act declined.
    let (clauses, examples) = between("ca-trust-act.toml", "ca-sb54.toml");
    assert!(
        clauses.iter().any(|one| one.starts_with("notify: as the mode has it -> where (the release date is public")),
        "{clauses:?}"
    );
    assert!(examples.iter().all(|one| one.after.outcome != Outcome::Honor), "{examples:?}");
    assert!(examples.iter().any(|one| one.before.outcome == Outcome::Honor), "{examples:?}");
}

#[test]
fn a_comparison_knows_which_way_a_clause_works() {
    let said = |from: &str, to: &str| {
        let file = |tree: &str| {
            let text = SOUND.replace("condition = { all = [{ use = \"old\" }, { age_at_least = 18 }] }", tree);
            policyfile::parse(&text).unwrap_or_else(|m| panic!("{tree}:{}", told(&m)))
        };
        let (clauses, _) = policyfile::diff(&file(from), &file(to));
        clauses.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let with = |more: &str| format!("condition = {{ all = [{{ use = \"old\" }}, {{ age_at_least = 18 }}{more}] }}");
    assert_eq!(
        said(&with(""), &with(", { served = true }")),
        ["condition.all: added: a copy was served on the subject (can only honor less)"]
    );
    assert_eq!(
        said(&with(", { served = true }"), &with("")),
        ["condition.all: removed: a copy was served on the subject (can only honor more)"]
    );
    let not = |list: &str| format!("condition = {{ all = [{{ use = \"old\" }}, {{ not = {{ any = [{list}] }} }}] }}");
    assert_eq!(
        said(&not("{ reentry = true }"), &not("{ reentry = true }, { served = true }")),
        ["condition.all.not.any: added: a copy was served on the subject (can only honor less)"]
    );
    assert_eq!(
        said(&with(""), "condition = { all = [{ use = \"old\" }, { age_at_least = 21 }] }"),
        ["condition.all: at least 18 years old -> at least 21 years old"]
    );
}

/// Runs the program, without a server; answers its exit code and what it wrote.
fn ctl(arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_detainerctl"));
    let out = program.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (out.status.code(), text(&out.stdout), text(&out.stderr))
}

#[test]
fn the_program_checks_shows_and_compares_without_a_server() {
    let paths = |folder: &str| {
        let names = files_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
        names.into_iter().map(|(name, _)| format!("{folder}/{name}")).collect::<Vec<_>>()
    };
    let all: Vec<String> = [paths("policies"), paths("policies/chains")].concat();
    let mut words = vec!["policy", "check"];
    words.extend(all.iter().map(String::as_str));
    let (code, out, err) = ctl(&words);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert!(out.starts_with("29 files are right") && out.lines().count() == 1, "{out}");

    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.toml");
    let text = SOUND.replace("age_at_least", "age_at_lest").replace("hold = \"review\"", "hold = \"honor\"");
    fs::write(&bad, text).unwrap();
    let bad = bad.to_str().unwrap();
    let (code, out, err) = ctl(&["policy", "check", bad, "policies/cook-2011.toml"]);
    let line = format!("{bad}:13:41: condition.all[1].age_at_lest: is no condition; did you mean `age_at_least`?\n");
    assert_eq!((code, out), (Some(2), line), "{err}");
    // An example that answers otherwise is a mistake of the file too.
    fs::write(bad, SOUND.replace("hold = \"review\"", "hold = \"honor\"")).unwrap();
    let (code, out, _) = ctl(&["policy", "check", bad]);
    assert_eq!((code, out), (Some(2), format!("{bad}:21:1: `n`: hold must be honor, and is review\n")));
    let (code, out, _) = ctl(&["--format", "json", "policy", "check", bad]);
    assert_eq!(code, Some(2));
    assert!(out.contains("\"line\":21") || out.contains("\"line\": 21"), "{out}");

    let (code, out, _) = ctl(&["policy", "show", "policies/cook-2011.toml"]);
    assert_eq!(code, Some(0));
    assert!(out.starts_with("cook-2011: Only where"), "{out}");
    let (code, out, _) = ctl(&["policy", "diff", "policies/nyc-2011.toml", "policies/nyc-2013.toml"]);
    assert_eq!(code, Some(0));
    assert!(out.contains("can only honor less") && out.contains("an earlier conviction of any"), "{out}");
    let (code, _, err) = ctl(&["policy", "show", "policies/chains/miami-dade.toml"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("is a chain of policies"), "{err}");
    let (code, _, err) = ctl(&["policy", "show", "policies/none.toml"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("policies/none.toml:1:1: cannot be read"), "{err}");
}
