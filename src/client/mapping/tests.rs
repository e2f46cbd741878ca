//! Mappings against small files of our own, and the shipped ones against rows of the shape they are for.

use super::*;
use crate::pb;
use crate::sheet::time;
use pb::import_operation::Operation;

const NATIONAL: &str = include_str!("../../../mappings/national-detainers-fy2015.toml");
const JAIL: &str = include_str!("../../../mappings/jail-charges.toml");
const NATIONAL_HEADER: &str = "source_row,prepare_date,detainer_type,facility,state,city,lift_reason";
const JAIL_HEADER: &str =
    "booking_id,booking_dt,release_dt,booking_charge_desc,charge_release_dt,jurisdiction_cd,release_disposition_desc";

fn fields(line: &str) -> csv::StringRecord {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_bytes());
    reader.records().next().and_then(Result::ok).unwrap_or_default()
}

fn plan(mapping: &str, header: &str) -> Plan {
    let mapping = Mapping::parse(mapping).unwrap_or_else(|error| panic!("{error}"));
    Plan::bind(&mapping, &fields(header)).unwrap_or_else(|error| panic!("{error}"))
}

fn map(plan: &Plan, lines: &[&str]) -> Result<MappedRow, RowProblem> {
    let records: Vec<Record> =
        (1..).zip(lines).map(|(n, line)| Record { line: n as u64 + 1, place: n, fields: fields(line) }).collect();
    plan.row("counties/c", &records)
}

/// The operations in short: what, when, and what matters of it.
fn shown(row: &MappedRow) -> Vec<String> {
    let when = |at: &Option<prost_types::Timestamp>| {
        at.as_ref().and_then(time::utc).map(|at| at.format("%m-%d %H:%M").to_string()).unwrap_or_default()
    };
    let one = |operation: &pb::ImportOperation| match operation.operation.as_ref() {
        Some(Operation::CreateBooking(r)) => match &r.bases {
            Some(pb::create_booking_request::Bases::FirstBases(first)) => {
                format!("book {} {} bases", when(&r.booked_time), first.bases.len())
            }
            _ => format!("book {} not known", when(&r.booked_time)),
        },
        Some(Operation::OpenBasis(r)) => format!("open {} {}", when(&r.effective_time), r.basis_id),
        Some(Operation::CloseBasis(r)) => format!("close {} {:?} {}", when(&r.effective_time), r.reason(), r.reason_text),
        Some(Operation::RecordDetainer(r)) => {
            let form = r.form.clone().unwrap_or_default();
            let served = r.service.as_ref().map(|s| when(&s.served_time)).unwrap_or_default();
            format!("detainer {} {:?} hold {} served {served}", when(&r.received_time), form.edition(), form.hold_requested)
        }
        Some(Operation::LiftDetainer(r)) => format!("lift {} {:?}", when(&r.effective_time), r.reason()),
        Some(Operation::ReleaseBooking(r)) => {
            format!("release {} {:?} {}", when(&r.effective_time), r.kind(), r.receiving_agency)
        }
        other => format!("{other:?}"),
    };
    row.row.operations.iter().map(one).collect()
}

#[test]
fn a_national_row_is_a_booking_whose_bases_are_not_known_and_its_detainer() {
    let plan = plan(NATIONAL, NATIONAL_HEADER);
    let line = "67539,2015-06-16,I247 - Immigration Detainer - Notice of Action (as of March 2013),TURNER GUIFORD KNIGHT (TGK) JAIL,FLORIDA,MIAMI,Detainer Declined by LEA";
    let row = map(&plan, &[line]).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(
        shown(&row),
        ["book 06-16 04:00 not known", "detainer 06-16 04:00 I247201212 hold true served ", "lift 07-20 04:00 DeclinedByLea"]
    );
    assert_eq!(row.row.row_id, "67539");
    let facility = &row.facility;
    assert_eq!(
        (facility.id.as_str(), facility.time_zone.as_str()),
        ("turner-guiford-knight-tgk-jail-miami-florida", "America/New_York")
    );
}

#[test]
fn a_national_row_without_lift_reason_is_not_lifted_and_an_i247n_asks_for_no_hold() {
    let plan = plan(NATIONAL, NATIONAL_HEADER);
    let line = "9,2015-07-04,I247N - Immigration Advisal - Request for Notification,SOME JAIL,ARIZONA,PHOENIX,";
    let row = map(&plan, &[line]).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(shown(&row), ["book 07-04 07:00 not known", "detainer 07-04 07:00 I247n hold false served "]);
}

#[test]
fn what_is_wrong_with_a_row_is_named_with_line_and_field() {
    let plan = plan(NATIONAL, NATIONAL_HEADER);
    let i247 = "I247 - Immigration Detainer - Notice of Action (as of March 2013)";
    let cases = [
        (format!("2,2015-05-08,{i247},,,,"), "line 2, facility: the row has no facility"),
        (format!("2,,{i247},JAIL,TEXAS,X,"), "line 2, prepare_date: the row has no date"),
        (format!("2,2015-13-08,{i247},JAIL,TEXAS,X,"), "line 2, booking.booked: `2015-13-08` is no time like %Y-%m-%d"),
        (format!("2,2015-05-08,{i247},JAIL,ONTARIO,X,"), "line 2, time.zone: the mapping does not say what `ONTARIO` means"),
        (
            format!("2,2015-05-08,{i247},JAIL,TEXAS,X,Lost"),
            "line 2, detainer[0].lift.reason: the mapping does not say what `Lost` means",
        ),
        (format!(",2015-05-08,{i247},JAIL,TEXAS,X,"), "line 2, file.row_id: it is empty"),
    ];
    for (line, problem) in cases {
        assert_eq!(map(&plan, &[&line]).map(|row| shown(&row)).map_err(|e| e.to_string()), Err(problem.to_owned()));
    }
}

#[test]
fn a_booking_of_the_jail_file_opens_its_charges_at_once_and_closes_each_in_its_time() {
    let plan = plan(JAIL, JAIL_HEADER);
    let row = map(
        &plan,
        &[
            "b4c0,2017-04-21 11:43:00,2017-07-11 08:00:00,UNL POSS FIREARM 1,2017-07-11 09:00:00,SUP,WSI Chain",
            "b4c0,2017-04-21 11:43:00,2017-07-11 08:00:00,COMM CUSTODY JAIL,2017-05-21 05:00:00,DOC,Court Order",
            "b4c0,2017-04-21 11:43:00,2017-07-11 08:00:00,HOLD IMMIGRAT,2017-05-04 17:00:00,IMM,Cancel Detainer",
        ],
    )
    .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(
        shown(&row),
        [
            "book 04-21 18:43 2 bases",
            "detainer 04-21 18:43 I247a hold true served 04-21 18:43",
            "lift 05-05 00:00 Lifted",
            "close 05-21 12:00 Other Court Order",
            "close 07-11 15:00 Transferred ",
            "release 07-11 15:00 Released ",
        ]
    );
}

#[test]
fn a_hold_row_that_ends_with_the_booking_is_not_lifted_and_says_who_took_the_person() {
    let plan = plan(JAIL, JAIL_HEADER);
    let row = map(
        &plan,
        &[
            "f4b4,2017-03-16 19:18:00,2017-03-17 14:55:00,HOLD IMMIGRAT,2017-03-17 15:00:00,IMM,Immigration",
            "f4b4,2017-03-16 19:18:00,2017-03-17 14:55:00,ASLT 4,2017-03-17 10:00:00,PD1,\"NCF, Pending Inv\"",
        ],
    )
    .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(
        shown(&row),
        [
            "book 03-17 02:18 1 bases",
            "detainer 03-17 02:18 I247d hold true served 03-17 02:18",
            "close 03-17 17:00 Dismissed ",
            "release 03-17 21:55 FederalCustody ICE ERO",
        ]
    );
}

#[test]
fn wrong_mappings_name_line_and_field() {
    let small = "format = 1\ntitle = \"t\"\nsource_name = \"s\"\n[file]\nrow_id = \"{id}\"\n[time]\nzone = \"America/Denver\"\nformats = [\"%Y-%m-%d\"]\n[facility]\nid = \"f\"\nname = \"F\"\n[booking]\nid = \"{id}\"\nbooked = \"{day}\"\nbases = \"not-known\"\n";
    let bind = |text: &str| {
        let mapping = Mapping::parse(text).map_err(|e| e.to_string())?;
        Plan::bind(&mapping, &fields("id,day")).map(|_| ()).map_err(|e| e.located(text).to_string())
    };
    assert_eq!(bind(small), Ok(()));
    let cases = [
        ("{day}", "{date}", "line 14: booking.booked: the file has no column `date`; it has day, id"),
        ("America/Denver", "America/Devner", "line 7: time.zone: `America/Devner` is no IANA time zone, as America/New_York is"),
        (
            "source_name = \"s\"",
            "source_name = \"s s\"",
            "line 3: source_name: must be 1 to 64 letters, digits, `-`, `_`, `.` or `~`",
        ),
        ("format = 1", "format = 2", "line 1: format: this program reads format 1, not 2"),
    ];
    for (from, to, problem) in cases {
        assert_eq!(bind(&small.replace(from, to)), Err(problem.to_owned()));
    }
    let unknown = bind(&small.replace("[booking]", "[booking]\ncolor = 1"));
    assert!(unknown.as_ref().is_err_and(|e| e.starts_with("line 13: unknown field `color`")), "{unknown:?}");
}

#[test]
fn ids_made_of_words_are_valid_and_long_ones_stay_apart() {
    assert_eq!(rows::slug("ST. MARY'S  CO. JAIL (ANNEX) "), "st-mary-s-co-jail-annex");
    let (one, two) = (rows::slug(&format!("{}1", "LONG ".repeat(20))), rows::slug(&format!("{}2", "LONG ".repeat(20))));
    assert!(one.len() <= 64 && two.len() <= 64 && one != two, "{one} {two}");
    assert_eq!(rows::slug("(!)"), "");
}
