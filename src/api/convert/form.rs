//! `form.proto`: what the form says, the papers that came with it, the service on the subject.
//!
//! What is sealed of a form (officer, A-number, remarks, who served it) is read into [`Told`] and put into the command as
//! commitments by the handler; an answer shows it only where [`Told`] was opened for it.

use super::super::names::of;
use super::super::time::{Fields, stamp, wire_date, wire_source};
use super::{tri, wire_tri, words};
use crate::domain::command::NewService;
use crate::domain::detainer::{Boxes, Component, Document, DocumentKind, Edition, Form, Service, ServiceMethod};
use crate::domain::facts::{TextRef, Tri};
use crate::domain::ids::{BookingId, CountyId, DetainerId, check_id};
use crate::identity::person::a_number;
use crate::pb;
use std::fmt;
use std::sync::Arc;

words! {
    /// The edition of a form; it must be stated.
    edition, wire_edition: FormEdition <=> Edition {
        I2472011 = Edition::I247Of2011,
        I247201212 = Edition::I247Of2012,
        I247d = Edition::I247D,
        I247n = Edition::I247N,
        I247x = Edition::I247X,
        I247a = Edition::I247A,
    }
    /// The issuing component; it must be stated.
    component, wire_component: IssuingComponent <=> Component {
        IceEro = Component::IceEro,
        Hsi = Component::Hsi,
        Cbp = Component::Cbp,
        Usbp = Component::Usbp,
        Uscis = Component::Uscis,
    }
    /// What kind of paper a document is; it must be stated.
    document_kind, wire_document_kind: DocumentKind <=> DocumentKind {
        DetainerForm = DocumentKind::Form,
        I200 = DocumentKind::I200,
        I205 = DocumentKind::I205,
        JudicialWarrant = DocumentKind::JudicialWarrant,
        I203 = DocumentKind::I203,
        Lift = DocumentKind::Lift,
        Notice = DocumentKind::Notice,
        Other = DocumentKind::Other,
    }
    /// How a copy was given; it must be stated.
    service_method, wire_service_method: ServiceMethod <=> ServiceMethod {
        InPerson = ServiceMethod::InPerson,
        PlacedWithProperty = ServiceMethod::WithProperty,
        Electronic = ServiceMethod::Electronic,
        ToCounsel = ServiceMethod::ToCounsel,
        Assumed = ServiceMethod::Assumed,
    }
}

/// The most papers that come with one form.
const MOST_DOCUMENTS: usize = 20;

/// What of a form and its service is sealed, in clear; empty where it was not told or is not shown.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// The issuing officer.
    pub officer: String,
    /// The A-number, nine digits.
    pub a_number: String,
    /// Remarks.
    pub remarks: String,
    /// Who gave the copy.
    pub served_by: String,
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Told(..)")
    }
}

/// What a form says, with `documents` beside it, and what of it is to be sealed. `at` is the path of the form.
pub fn form(
    fields: &mut Fields,
    at: &str,
    form: Option<&pb::DetainerForm>,
    documents: &[pb::Document],
    told: &mut Told,
) -> Option<Form> {
    form_with(fields, at, form, (documents, true), told)
}

/// The same; whether its documents need their digests is told with them.
pub fn form_with(
    fields: &mut Fields,
    at: &str,
    form: Option<&pb::DetainerForm>,
    (documents, need_digests): (&[pb::Document], bool),
    told: &mut Told,
) -> Option<Form> {
    let documents = self::documents(fields, "documents", documents, need_digests);
    let Some(form) = form else {
        fields.bad(at, "is required");
        return None;
    };
    let edition = edition(fields, &format!("{at}.edition"), form.edition);
    let boxes = boxes(fields, at, form);
    if let (Some(edition), Some(boxes)) = (edition, &boxes) {
        for (field, why) in boxes.contradictions(edition) {
            fields.bad(&format!("{at}.{field}"), why);
        }
    }
    let signed = tri(fields, &format!("{at}.signed"), form.signed);
    let office = office(fields, &format!("{at}.office"), form.office.as_ref());
    let form_date = fields.date(&format!("{at}.form_date"), form.form_date.as_ref());
    let event_number = fields.text(&format!("{at}.event_number"), form.event_number.trim(), 64);
    told.officer = fields.text(&format!("{at}.officer"), form.officer.trim(), 200).to_string();
    told.remarks = fields.text(&format!("{at}.remarks"), &form.remarks, 4_000).to_string();
    told.a_number = fields.take(&format!("{at}.a_number"), a_number(&form.a_number)).unwrap_or_default();
    let (office, office_name, component) = office?;
    Some(Form {
        edition: edition?,
        boxes: boxes?,
        signed: signed?,
        office,
        office_name,
        component: component?,
        officer: None,
        form_date: Some(form_date?),
        event_number,
        a_number: None,
        documents: documents?,
    })
}

type Office = (Arc<str>, Arc<str>, Option<Component>);

fn office(fields: &mut Fields, at: &str, office: Option<&pb::IssuingOffice>) -> Option<Office> {
    let Some(office) = office else {
        fields.bad(at, "is required");
        return None;
    };
    fields.take(&format!("{at}.code"), check_id(&office.code));
    let name = fields.text(&format!("{at}.display_name"), &office.display_name, 200);
    let component = component(fields, &format!("{at}.component"), office.component);
    Some((office.code.as_str().into(), name, component))
}

/// What is ticked.
fn boxes(fields: &mut Fields, at: &str, form: &pb::DetainerForm) -> Option<Boxes> {
    let cancels = form.cancels_detainer_of.as_ref();
    let cancels = match cancels {
        None => None,
        Some(day) => Some(fields.take(&format!("{at}.cancels_detainer_of"), super::super::time::date(day))?),
    };
    let cause = probable_cause(fields, &format!("{at}.probable_cause"), form.probable_cause.as_ref());
    Some(Boxes {
        hold: form.hold_requested,
        notify: form.notify_requested,
        lent: form.dhs_lent_return,
        upon_conviction: form.operative_upon_conviction,
        cancels,
        read: cause.known,
        final_order: cause.final_order,
        pending_proceedings: cause.pending_proceedings,
        biometric_match: cause.biometric_match,
        statements: cause.statements_or_evidence,
    })
}

/// The probable-cause boxes; none may be ticked where nobody read them.
pub fn probable_cause(fields: &mut Fields, at: &str, boxes: Option<&pb::ProbableCauseBoxes>) -> pb::ProbableCauseBoxes {
    let cause = boxes.copied().unwrap_or_default();
    let ticked = cause.final_order || cause.pending_proceedings || cause.biometric_match || cause.statements_or_evidence;
    if ticked && !cause.known {
        fields.bad(&format!("{at}.known"), "must be true where a box is ticked");
    }
    cause
}

fn documents(fields: &mut Fields, at: &str, papers: &[pb::Document], need_digests: bool) -> Option<Vec<Document>> {
    if papers.len() > MOST_DOCUMENTS {
        fields.bad(at, format!("may have at most {MOST_DOCUMENTS} entries"));
        return None;
    }
    let mut read: Vec<Document> = Vec::with_capacity(papers.len());
    let mut all = true;
    for (n, paper) in papers.iter().enumerate() {
        let path = format!("{at}[{n}]");
        let Some(document) = document(fields, &path, paper, need_digests) else {
            all = false;
            continue;
        };
        if read.iter().any(|known| known.sha256 == document.sha256 && known.kind == document.kind) {
            fields.bad(&path, "comes twice");
        }
        read.push(Document { n: u32::try_from(n).unwrap_or(u32::MAX).saturating_add(1), ..document });
    }
    all.then_some(read)
}

/// A paper. Its number is given by who puts it among others.
pub fn document(fields: &mut Fields, at: &str, paper: &pb::Document, needs_digest: bool) -> Option<Document> {
    let kind = document_kind(fields, &format!("{at}.kind"), paper.kind);
    let sha256 = match <[u8; 32]>::try_from(paper.sha256.as_slice()) {
        Ok(digest) => Some(TextRef(digest)),
        Err(_) => {
            if needs_digest || !paper.sha256.is_empty() {
                fields.bad(&format!("{at}.sha256"), "must be the 32 bytes of a SHA-256");
            }
            None
        }
    };
    let signed = fields.optional_instant(&format!("{at}.signed_time"), paper.signed_time.as_ref());
    let is_signed = match paper.signed {
        0 => signed.map(|_| Tri::Yes),
        stated => tri(fields, &format!("{at}.signed"), stated),
    };
    if signed.is_some() && is_signed == Some(Tri::No) {
        fields.bad(&format!("{at}.signed"), "may not be NO with a signed_time");
    }
    let media_type = fields.text(&format!("{at}.media_type"), &paper.media_type, 100);
    Some(Document { n: 0, kind: kind?, sha256, signed, is_signed, media_type, content: None, attached: None, source: None })
}

/// A service, and who gave the copy. `at` is its path.
pub fn service(fields: &mut Fields, at: &str, service: &pb::Service, told: &mut Told) -> Option<NewService> {
    let served = fields.instant(&format!("{at}.served_time"), service.served_time.as_ref());
    let method = service_method(fields, &format!("{at}.method"), service.method);
    let language = fields.text(&format!("{at}.language"), &service.language, 35);
    told.served_by = fields.text(&format!("{at}.served_by"), service.served_by.trim(), 100).to_string();
    let source = fields.source(&format!("{at}.source"), service.source.as_ref());
    Some(NewService { at: served?, method: method?, language, by: None, source: source? })
}

/// What a form says, as an answer shows it.
#[must_use]
pub fn wire_form(form: &Form, told: &Told) -> pb::DetainerForm {
    let boxes = &form.boxes;
    pb::DetainerForm {
        edition: wire_edition(form.edition).into(),
        hold_requested: boxes.hold,
        notify_requested: boxes.notify,
        dhs_lent_return: boxes.lent,
        operative_upon_conviction: boxes.upon_conviction,
        cancels_detainer_of: boxes.cancels.map(wire_date),
        probable_cause: Some(pb::ProbableCauseBoxes {
            final_order: boxes.final_order,
            pending_proceedings: boxes.pending_proceedings,
            biometric_match: boxes.biometric_match,
            statements_or_evidence: boxes.statements,
            known: boxes.read,
        }),
        signed: wire_tri(form.signed).into(),
        office: Some(pb::IssuingOffice {
            code: form.office.to_string(),
            display_name: form.office_name.to_string(),
            component: wire_component(form.component).into(),
        }),
        officer: told.officer.clone(),
        form_date: form.form_date.map(wire_date),
        event_number: form.event_number.to_string(),
        a_number: told.a_number.clone(),
        remarks: told.remarks.clone(),
    }
}

/// A paper as an answer shows it.
#[must_use]
pub fn wire_document(county: &CountyId, booking: &BookingId, detainer: &DetainerId, paper: &Document) -> pb::Document {
    let digest = paper.sha256.map(|digest| digest.0.to_vec()).unwrap_or_default();
    pb::Document {
        name: format!("{}/documents/{}", of::detainer(county, booking, detainer), hex::encode(&digest)),
        kind: wire_document_kind(paper.kind).into(),
        sha256: digest,
        signed_time: paper.signed.map(stamp),
        signed: paper.is_signed.map_or(pb::TriState::Unspecified, wire_tri).into(),
        media_type: paper.media_type.to_string(),
        content_kept: paper.content.is_some(),
        attach_time: paper.attached.map(|attached| stamp(attached.effective)),
        attach_source: paper.source.as_ref().map(wire_source),
    }
}

/// A service as an answer shows it.
#[must_use]
pub fn wire_service(service: &Service, told: &Told) -> pb::Service {
    pb::Service {
        served_time: Some(stamp(service.at.effective)),
        method: wire_service_method(service.method).into(),
        language: service.language.to_string(),
        served_by: told.served_by.clone(),
        source: Some(wire_source(&service.source)),
    }
}
