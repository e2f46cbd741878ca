//! The conventions of the contract, held against the descriptors that reflection serves.
//!
//! buf checks form and comments. What buf cannot know is said here: which calls are writes, and what each kind of
//! call must carry. A new method fails the first test until somebody says which kind it is.

use std::collections::BTreeSet;

use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, ServiceDescriptor};

/// What a method is, by its first word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Manner {
    /// Records something.
    Write,
    /// Answers from what is recorded.
    Read,
    /// Answers from what is recorded over a period.
    Report,
    /// Streams what happens from a cursor on.
    Watch,
    /// Streams a file in.
    Import,
    /// Says what a write would do, on what is known now.
    Trial,
}

/// First words of methods that record something.
const WRITES: &[&str] = &[
    "Create",
    "Update",
    "Set",
    "Open",
    "Close",
    "Move",
    "Release",
    "Correct",
    "Confirm",
    "Record",
    "Attach",
    "Lift",
    "Override",
    "Replace",
    "Resolve",
    "Switch",
    "Activate",
    "Amend",
    "Terminate",
    "Revoke",
];

fn pool() -> DescriptorPool {
    DescriptorPool::decode(detainer::pb::DESCRIPTORS).expect("the descriptors of this build")
}

fn services(pool: &DescriptorPool) -> Vec<ServiceDescriptor> {
    pool.services().filter(|service| service.package_name() == "detainer.v1").collect()
}

fn methods(pool: &DescriptorPool) -> Vec<MethodDescriptor> {
    services(pool).iter().flat_map(|service| service.methods().collect::<Vec<_>>()).collect()
}

/// Credentials live beside the journal: no receipt, no `as_of`.
fn is_of_the_journal(method: &MethodDescriptor) -> bool {
    method.parent_service().name() != "TokenService"
}

fn first_word(name: &str) -> &str {
    let end = name.char_indices().skip(1).find(|(_, c)| c.is_ascii_uppercase()).map_or(name.len(), |(at, _)| at);
    &name[..end]
}

fn manner(method: &MethodDescriptor) -> Option<Manner> {
    let word = first_word(method.name());
    if method.parent_service().name() == "ReportService" {
        return match word {
            "Get" if method.name().starts_with("GetClaim") => Some(Manner::Read),
            "Get" | "Stream" | "Compare" | "Explain" => Some(Manner::Report),
            "List" if method.name() == "ListBailEligible" => Some(Manner::Report),
            "List" => Some(Manner::Read),
            _ => WRITES.contains(&word).then_some(Manner::Write),
        };
    }
    match word {
        "Get" | "List" | "Check" | "Explain" => Some(Manner::Read),
        "Watch" => Some(Manner::Watch),
        "Import" => Some(Manner::Import),
        "Preview" => Some(Manner::Trial),
        "Simulate" => Some(Manner::Report),
        _ => WRITES.contains(&word).then_some(Manner::Write),
    }
}

fn kind_of(message: &MessageDescriptor, field: &str) -> Option<String> {
    message.get_field_by_name(field).map(|field| match field.kind() {
        Kind::Message(message) => message.name().to_owned(),
        Kind::Enum(of) => of.name().to_owned(),
        plain => format!("{plain:?}"),
    })
}

/// Every message reachable from `from`, itself included.
fn reach(from: &MessageDescriptor, seen: &mut BTreeSet<String>, found: &mut Vec<FieldDescriptor>) {
    if !seen.insert(from.full_name().to_owned()) {
        return;
    }
    for field in from.fields() {
        if let Kind::Message(message) = field.kind() {
            reach(&message, seen, found);
        }
        found.push(field);
    }
}

#[test]
fn each_method_is_of_a_known_manner() {
    let pool = pool();
    let unknown: Vec<_> = methods(&pool).iter().filter(|m| manner(m).is_none()).map(|m| m.full_name().to_owned()).collect();
    assert_eq!(unknown, Vec::<String>::new());
}

#[test]
fn only_the_methods_that_work_are_in_it() {
    let expected = [
        (
            "BookingService",
            "CreateBooking GetBooking ListBookings OpenBasis CloseBasis UpdateFacts MoveBooking ReleaseBooking CorrectBooking ConfirmProposal ListProposals GetTimeline CheckRelease",
        ),
        (
            "CountyService",
            "CreateCounty GetCounty UpdateCounty ListCounties CreateFacility UpdateFacility ListFacilities SetCalendar GetCalendar",
        ),
        (
            "DetainerService",
            "RecordDetainer AttachDocument GetDocument GetDetainer ListDetainers RecordService LiftDetainer ReplaceDetainer ResolveReview ListReviews OverrideDecision ListDecisions RecordNotice ListDuties",
        ),
        ("HoldService", "GetHold ListHolds WatchHolds"),
        ("ImportService", "Import"),
        ("JournalService", "ListEvents WatchEvents"),
        (
            "PolicyService",
            "SwitchPolicyMode GetEffectivePolicy GetPolicyRevision ListPolicyRevisions CreatePolicyRevision PreviewPolicyRevision ExplainDecision ActivatePolicyRevision SimulatePolicy CreateAgreement AmendAgreement TerminateAgreement GetAgreement ListAgreements SetRate ListRates",
        ),
        (
            "ReportService",
            "StreamHoldRegister GetHoldStatistics GetDecisionReport StreamDeclinedDetainers GetDutyReport GetCostReport StreamCostLines CompareModes GetOverdetentionReport GetDailyCertificate ListBailEligible GetGeorgiaQuarterlyReport GetNorthCarolinaAnnualReport ExplainChange ClosePeriod ListPeriodCloses CreateClaim UpdateClaim GetClaim ListClaims ListClaimLines GetClaimReport ListUnclaimedHolds",
        ),
        ("TokenService", "CreateToken RevokeToken ListTokens"),
    ];
    let pool = pool();
    let mut found: Vec<(String, String)> = services(&pool)
        .iter()
        .map(|service| {
            let names: Vec<_> = service.methods().map(|method| method.name().to_owned()).collect();
            (service.name().to_owned(), names.join(" "))
        })
        .collect();
    found.sort();
    let expected: Vec<_> = expected.iter().map(|(service, names)| ((*service).to_owned(), (*names).to_owned())).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_write_takes_a_request_id_and_answers_with_a_receipt() {
    let pool = pool();
    for method in methods(&pool).iter().filter(|method| manner(method) == Some(Manner::Write)) {
        let (name, asked, answered) = (method.full_name(), method.input(), method.output());
        let number = |field: &str| asked.get_field_by_name(field).map(|field| field.number());
        assert_eq!(kind_of(&asked, "request_id").as_deref(), Some("string"), "{name}");
        assert_eq!(kind_of(&asked, "validate_only").as_deref(), Some("bool"), "{name}");
        assert_eq!((number("request_id"), number("validate_only")), (Some(2), Some(3)), "{name}: the same numbers everywhere");
        if is_of_the_journal(method) {
            assert_eq!(kind_of(&answered, "receipt").as_deref(), Some("Receipt"), "{name}");
            assert_eq!(answered.get_field_by_name("receipt").map(|field| field.number()), Some(2), "{name}");
        }
        // What changes something that is there can be tied to what was seen of it.
        // A rate is only ever added.
        let makes = ["Create", "Confirm", "Revoke"].contains(&first_word(method.name())) || method.name() == "SetRate";
        assert_eq!(kind_of(&asked, "etag").is_some(), !makes, "{name}");
    }
}

#[test]
fn a_read_takes_as_of_and_names_the_exact_pair() {
    let pool = pool();
    let reads = methods(&pool);
    for method in reads.iter().filter(|method| manner(method) == Some(Manner::Read) && is_of_the_journal(method)) {
        let (name, asked, answered) = (method.full_name(), method.input(), method.output());
        assert_eq!(kind_of(&asked, "as_of").as_deref(), Some("AsOf"), "{name}");
        let pair = if method.name() == "ListCounties" { "as_of_pairs" } else { "as_of_pair" };
        assert_eq!(kind_of(&answered, pair).as_deref(), Some("AsOfPair"), "{name}");
    }
}

#[test]
fn a_trial_names_the_exact_pair_and_records_nothing() {
    let pool = pool();
    let trials: Vec<_> = methods(&pool).into_iter().filter(|method| manner(method) == Some(Manner::Trial)).collect();
    assert!(!trials.is_empty());
    for method in trials {
        assert_eq!(kind_of(&method.output(), "as_of_pair").as_deref(), Some("AsOfPair"), "{}", method.full_name());
        assert_eq!(kind_of(&method.input(), "request_id"), None, "{}", method.full_name());
    }
}

#[test]
fn a_report_takes_the_query_and_answers_with_a_manifest() {
    let pool = pool();
    for method in methods(&pool).iter().filter(|method| manner(method) == Some(Manner::Report)) {
        let (name, answered) = (method.full_name(), method.output());
        assert_eq!(kind_of(&method.input(), "query").as_deref(), Some("ReportQuery"), "{name}");
        assert_eq!(kind_of(&answered, "manifest").as_deref(), Some("ReportManifest"), "{name}");
        assert_eq!(
            method.is_server_streaming(),
            ["Stream", "Simulate", "Explain"].contains(&first_word(method.name())),
            "{name}"
        );
        assert_eq!(method.is_server_streaming(), answered.get_field_by_name("as_of_pair").is_some(), "{name}");
    }
}

#[test]
fn a_list_pages() {
    let pool = pool();
    for method in methods(&pool).iter().filter(|method| first_word(method.name()) == "List") {
        let (name, asked, answered) = (method.full_name(), method.input(), method.output());
        assert_eq!(kind_of(&asked, "page_size").as_deref(), Some("int32"), "{name}");
        assert_eq!(kind_of(&asked, "page_token").as_deref(), Some("string"), "{name}");
        assert_eq!(kind_of(&answered, "next_page_token").as_deref(), Some("string"), "{name}");
    }
}

#[test]
fn a_watch_resumes() {
    let pool = pool();
    for method in methods(&pool).iter().filter(|method| manner(method) == Some(Manner::Watch)) {
        assert!(method.is_server_streaming(), "{}", method.full_name());
        for message in [method.input(), method.output()] {
            assert_eq!(kind_of(&message, "cursor").as_deref(), Some("string"), "{}", message.full_name());
        }
    }
}

/// No floats, no maps: what is counted is whole, and what is listed has an order.
#[test]
fn amounts_are_whole_and_lists_are_ordered() {
    let pool = pool();
    let (mut seen, mut fields) = (BTreeSet::new(), Vec::new());
    for method in methods(&pool) {
        reach(&method.input(), &mut seen, &mut fields);
        reach(&method.output(), &mut seen, &mut fields);
    }
    assert!(fields.len() > 300, "reached only {} fields", fields.len());
    for field in fields {
        assert!(!field.is_map(), "{}", field.full_name());
        assert!(!matches!(field.kind(), Kind::Double | Kind::Float), "{}", field.full_name());
    }
}

#[test]
fn times_dates_and_lengths_are_named_as_such() {
    let pool = pool();
    for message in pool.all_messages().filter(|message| message.package_name() == "detainer.v1") {
        for field in message.fields() {
            let Kind::Message(of) = field.kind() else { continue };
            let (name, full) = (field.name(), field.full_name());
            match of.full_name() {
                "google.protobuf.Timestamp" => {
                    let plain = ["_time", "deadline", "_until", "_since", "_before", "accrue_until"]
                        .iter()
                        .any(|end| name.ends_with(end));
                    assert!(plain || ["t0", "t0s", "authority_from"].contains(&name), "{full}");
                }
                "detainer.v1.Date" => {
                    assert!(name == "date" || name.ends_with("_date") || name == "cancels_detainer_of", "{full}")
                }
                _ => {}
            }
        }
    }
}

/// Reflection serves the records too, so that whoever has a journal's bytes can read them.
#[test]
fn the_journals_records_are_described_and_have_no_code_here() {
    let pool = pool();
    assert!(pool.files().any(|file| file.package_name() == "detainer.journal.v1"));
    assert!(pool.services().all(|service| service.package_name() == "detainer.v1"));
}

#[test]
fn reflection_serves_it_in_both_versions() {
    let builder =
        || tonic_reflection::server::Builder::configure().register_encoded_file_descriptor_set(detainer::pb::DESCRIPTORS);
    assert!(builder().build_v1().is_ok());
    assert!(builder().build_v1alpha().is_ok());
}

/// A name that only identity may carry stays where VIEW_IDENTITY guards it.
#[test]
fn answers_without_a_view_reach_no_identity() {
    let pool = pool();
    let sealed = ["Identity", "DetainerForm", "Proposal"];
    for method in methods(&pool) {
        if method.input().get_field_by_name("view").is_some() || manner(&method) == Some(Manner::Write) {
            continue;
        }
        let (mut seen, mut fields) = (BTreeSet::new(), Vec::new());
        reach(&method.output(), &mut seen, &mut fields);
        let leaks: Vec<_> = sealed.iter().filter(|name| seen.contains(&format!("detainer.v1.{name}"))).collect();
        assert!(leaks.is_empty(), "{} reaches {leaks:?}", method.full_name());
    }
}
