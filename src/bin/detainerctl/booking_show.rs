//! Bookings as tables: one whole, or many in a list.

use detainer::client::Client;
use detainer::pb;
use detainer::sheet::table::{Cell, Sheet, Table, about, column, field, more};
use detainer::sheet::{names, time};

use crate::booking::List;
use crate::context::{Context, Failure};
use crate::output;
use crate::parse::When;

/// Shows one booking.
pub async fn show(
    context: &Context,
    client: &Client,
    county: &str,
    booking: &str,
    identity: bool,
    when: &When,
) -> Result<(), Failure> {
    let zones = context.zones(client, county).await?;
    let name = names::booking(county, booking);
    let view = if identity { pb::View::Identity } else { pb::View::Basic };
    let request = pb::GetBookingRequest { name, as_of: when.as_of(zones.county, context.now())?, view: view.into() };
    let answer = client.get_booking(request).await?;
    let booking = answer.booking.unwrap_or_default();
    let zone = zones.of(&booking.facility);
    let mut sheet = sheet(&booking, zone);
    sheet.fields.extend(about(answer.as_of_pair.as_ref(), zone));
    output::sheet(context, &sheet)
}

fn sheet(booking: &pb::Booking, zone: chrono_tz::Tz) -> Sheet {
    let end = booking.end.clone().unwrap_or_default();
    let ids = |all: &[String]| all.iter().map(|name| names::id(name)).collect::<Vec<_>>().join(", ");
    let who = booking.identity.clone().unwrap_or_default();
    let born = who.birth_date.as_ref().and_then(time::day).map(|day| day.to_string()).unwrap_or_default();
    let name = [who.family_name, [who.given_name, who.middle_name].join(" ").trim().to_owned()];
    let name = name.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    let fields = vec![
        field("booking", "booking", Cell::text(names::id(&booking.name))),
        field("subject", "subject", Cell::text(names::id(&booking.subject))),
        field("name", "name", Cell::text(name)),
        field("birth_date", "born", Cell::text(born)),
        field("a_number", "A-number", Cell::text(who.a_number)),
        field("fbi_number", "FBI number", Cell::text(who.fbi_number)),
        field("state_id", "state number", Cell::text(who.state_id)),
        field("booked_time", "booked", Cell::time(booking.booked_time.as_ref(), zone)),
        field("facility", "facility", Cell::text(names::id(&booking.facility))),
        field("bases_known", "bases known", Cell::Flag(booking.bases_known)),
        field("t0", "T0", Cell::time(booking.t0.as_ref(), zone)),
        field("end_time", "ended", Cell::time(end.end_time.as_ref(), zone)),
        field("end_kind", "how", Cell::word::<pb::BookingEndKind>(end.kind)),
        field("receiving_agency", "taken by", Cell::text(end.receiving_agency)),
        field("receiving_officer", "officer", Cell::text(end.receiving_officer)),
        field("age_years", "age", booking.age_years.map_or(Cell::Empty, |years| Cell::Int(i64::from(years)))),
        field("citizenship_claimed", "citizenship claimed", flag(booking.citizenship_claimed)),
        field("citizenship_proved", "citizenship proved", flag(booking.citizenship_proved)),
        field("detainers", "detainers", Cell::text(ids(&booking.detainers))),
        field("holds", "holds", Cell::text(ids(&booking.holds))),
        field("inherits_from", "inherits time used from", Cell::text(names::id(&booking.inherits_from))),
        field("etag", "", Cell::text(booking.etag.as_str())),
    ];
    let mut stays =
        Table::new("", vec![column("facility", "FACILITY"), column("start_time", "FROM"), column("end_time", "TO")], "");
    stays.rows = booking
        .facility_stays
        .iter()
        .map(|stay| {
            vec![
                Cell::text(names::id(&stay.facility)),
                Cell::time(stay.start_time.as_ref(), zone),
                Cell::time(stay.end_time.as_ref(), zone),
            ]
        })
        .collect();
    let mut parts = vec![("bases", bases(booking, zone))];
    if stays.rows.len() > 1 {
        parts.push(("facility_stays", stays));
    }
    Sheet { fields, parts, ..Sheet::default() }
}

/// Shown only where it is so.
fn flag(flag: bool) -> Cell {
    if flag { Cell::Flag(true) } else { Cell::Empty }
}

fn bases(booking: &pb::Booking, zone: chrono_tz::Tz) -> Table {
    let columns = vec![
        column("basis", "BASIS"),
        column("kind", "KIND"),
        column("open_time", "OPENED"),
        column("close_time", "CLOSED"),
        column("close_reason", "WHY"),
        more("reference"),
    ];
    let mut table = Table::new("", columns, "");
    table.rows = booking
        .bases
        .iter()
        .map(|basis| {
            vec![
                Cell::text(names::id(&basis.name)),
                Cell::word::<pb::BasisKind>(basis.kind),
                Cell::time(basis.open_time.as_ref(), zone),
                Cell::time(basis.close_time.as_ref(), zone),
                Cell::word::<pb::BasisCloseReason>(basis.close_reason),
                Cell::text(basis.reference.as_str()),
            ]
        })
        .collect();
    table
}

/// Lists bookings.
pub async fn list(context: &Context, client: &Client, county: String, list: &List) -> Result<(), Failure> {
    let zones = context.zones(client, &county).await?;
    let columns = vec![
        column("booking", "BOOKING"),
        column("booked_time", "BOOKED"),
        column("facility", "FACILITY"),
        column("t0", "T0"),
        column("end_time", "ENDED"),
        column("end_kind", "HOW"),
        more("subject"),
        more("bases_known"),
    ];
    let mut table = Table::new("", columns, "There is no such booking.");
    let facility = list.facility.as_deref().map(|id| names::facility(&county, id)).unwrap_or_default();
    let filter = pb::BookingFilter { facility, in_custody: list.in_custody.then_some(true), ..Default::default() };
    let mut page_token = String::new();
    loop {
        let left = list.limit.saturating_sub(table.rows.len());
        let request = pb::ListBookingsRequest {
            parent: county.clone(),
            page_size: i32::try_from(left.min(500)).unwrap_or(500),
            page_token,
            filter: Some(filter.clone()),
            ..Default::default()
        };
        let page = client.list_bookings(request).await?;
        table.rows.extend(page.bookings.iter().map(|booking| row(booking, zones.of(&booking.facility))));
        table.about = about(page.as_of_pair.as_ref(), zones.county);
        page_token = page.next_page_token;
        if page_token.is_empty() || table.rows.len() >= list.limit {
            return output::table(context, &table);
        }
    }
}

fn row(booking: &pb::Booking, zone: chrono_tz::Tz) -> Vec<Cell> {
    let end = booking.end.clone().unwrap_or_default();
    vec![
        Cell::text(names::id(&booking.name)),
        Cell::time(booking.booked_time.as_ref(), zone),
        Cell::text(names::id(&booking.facility)),
        Cell::time(booking.t0.as_ref(), zone),
        Cell::time(end.end_time.as_ref(), zone),
        Cell::word::<pb::BookingEndKind>(end.kind),
        Cell::text(booking.subject.as_str()),
        Cell::Flag(booking.bases_known),
    ]
}
