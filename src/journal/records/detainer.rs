//! The wire form of `domain::detainer`.

use crate::domain::detainer::{
    Boxes, Component, Detainer, Document, DocumentKind, Done, Duty, DutyKind, Edition, Form, Lift, LiftReason, LinkedDetainer,
    NoticeMethod, Reading, Replacement, ReviewDeclined, Service, ServiceMethod,
};
use crate::journal::wire::{enumeration, message};

message! {
    /// One request and everything that has become of it.
    Detainer {
        /// Its id within the booking.
        1: id,
        /// What the form says.
        2: form,
        /// When the county received it.
        3: received,
        /// Where that is known from.
        4: source,
        /// Remarks, sealed.
        5: remarks,
        /// The facility where the person was at receipt.
        6: facility,
        /// The same paper on an earlier booking of the same subject.
        7: linked,
        /// Proof of service.
        8: service,
        /// Withdrawal.
        9: lift,
        /// Replacement.
        10: replaced,
        /// The form it took the place of.
        11: replaces,
        /// A person declined on review.
        12: declined,
        /// Every decision, in recorded order.
        13: decisions,
        /// What is due and what was done.
        14: duties,
        /// How the form was read since, in recorded order; the form itself stays as it came.
        15: readings,
        /// What two persons put in place of the county rule's answer, in recorded order.
        16: overrides,
    }

    /// A reading of the form after it came: boxes and signature.
    Reading {
        /// When it was read.
        1: at,
        /// What is ticked.
        2: boxes,
        /// Whether it is signed.
        3: signed,
        /// Where that is known from.
        4: source,
    }

    /// What the form says: its content, apart from when and how it came (DOMAIN.md §10.23).
    Form {
        /// Its edition.
        1: edition,
        /// What is ticked.
        2: boxes,
        /// Whether it is signed.
        3: signed,
        /// Issuing office: a short code.
        4: office,
        /// Its name; empty where none was told.
        5: office_name,
        /// Issuing component.
        6: component,
        /// The issuing officer, sealed.
        7: officer,
        /// The date on the form.
        8: form_date,
        /// The event number; empty where the form has none.
        9: event_number,
        /// The A-number printed on it, sealed.
        10: a_number,
        /// What came with it.
        11: documents,
    }

    /// What is ticked.
    Boxes {
        /// Hold the person past release (box 1 of the I-247A).
        1: hold,
        /// Notify before release.
        2: notify,
        /// Box 2 of the I-247A: DHS lent the person; no ground to hold unless a revision says so.
        3: lent,
        /// Operative only upon conviction (2011 form).
        4: upon_conviction,
        /// Cancels the detainer of this form date.
        5: cancels,
        /// Whether the probable-cause boxes were read; where not, they are unknown.
        6: read,
        /// Probable cause: a final order of removal.
        7: final_order,
        /// Probable cause: pending proceedings.
        8: pending_proceedings,
        /// Probable cause: biometric match and records check.
        9: biometric_match,
        /// Probable cause: statements or other reliable evidence.
        10: statements,
    }

    /// A document that came with the form.
    Document {
        /// Its number among the request's documents, from 1.
        1: n,
        /// What it is.
        2: kind,
        /// SHA-256 of its bytes; the bytes themselves are sealed elsewhere.
        3: sha256,
        /// When it was signed.
        4: signed,
        /// Whether it is signed, where that was looked at.
        5: is_signed,
        /// Its media type; empty where none was told.
        6: media_type,
        /// Where its bytes are kept, sealed; nothing where only the digest is.
        7: content,
        /// When it was attached; nothing where it came with the form.
        8: attached,
        /// Where that is known from.
        9: source,
    }

    /// The same paper on another booking.
    LinkedDetainer {
        /// The earlier booking.
        1: booking,
        /// The detainer there.
        2: detainer,
    }

    /// Proof that a copy was given to the subject.
    Service {
        /// When.
        1: at,
        /// How.
        2: method,
        /// In which language (BCP 47).
        3: language,
        /// By whom, sealed.
        4: by,
        /// Where it is known from.
        5: source,
    }

    /// Withdrawal by the issuing agency.
    Lift {
        /// When.
        1: at,
        /// Why.
        2: reason,
        /// Where it is known from.
        3: source,
    }

    /// A new form took its place.
    Replacement {
        /// The receipt of the new form.
        1: at,
        /// The new form.
        2: by,
    }

    /// How a review was closed by a person.
    ReviewDeclined {
        /// When.
        1: at,
        /// Why, sealed.
        2: reason,
    }

    /// One duty.
    Duty {
        /// What.
        1: kind,
        /// By when.
        2: due,
        /// When, how and by what account it was carried out.
        3: done,
    }

    /// How a duty was carried out.
    Done {
        /// When.
        1: at,
        /// How; nothing where another record shows it, as service does.
        2: method,
        /// Where it is known from.
        3: source,
    }
}

enumeration! {
    /// How a copy was given.
    ServiceMethod {
        /// Handed over.
        1: InPerson,
        /// Put with the person's property.
        2: WithProperty,
        /// By the jail's messaging system.
        3: Electronic,
        /// To counsel.
        4: ToCounsel,
        /// Assumed, as a mapping of old records states.
        5: Assumed,
    }

    /// Editions of Form I-247 (DOMAIN.md §2).
    Edition {
        /// I-247 of 2011.
        1: I247Of2011,
        /// I-247 of December 2012.
        2: I247Of2012,
        /// I-247D, request for action.
        3: I247D,
        /// I-247N, request for notification: never a ground to hold.
        4: I247N,
        /// I-247X, request for transfer.
        5: I247X,
        /// I-247A, from 2017-04-02 on.
        6: I247A,
    }

    /// Which part of the federal side issued it.
    Component {
        /// ICE Enforcement and Removal Operations.
        1: IceEro,
        /// Homeland Security Investigations.
        2: Hsi,
        /// Customs and Border Protection.
        3: Cbp,
        /// Border Patrol.
        4: Usbp,
        /// Citizenship and Immigration Services.
        5: Uscis,
    }

    /// Kinds of document.
    DocumentKind {
        /// The form itself.
        1: Form,
        /// Administrative warrant for arrest.
        2: I200,
        /// Administrative warrant of removal.
        3: I205,
        /// Booking form.
        4: I203,
        /// A warrant signed by a judge.
        5: JudicialWarrant,
        /// The paper by which it was lifted.
        6: Lift,
        /// A notice that was sent.
        7: Notice,
        /// Anything else.
        8: Other,
    }

    /// Why the issuing agency withdrew it. The letter is NIEM's.
    LiftReason {
        /// B: booked into detention.
        1: BookedIntoDetention,
        /// C: case closed.
        2: CaseClosed,
        /// D: died.
        3: Died,
        /// L: lifted.
        4: Lifted,
        /// F: lack of funds.
        5: LackOfFunds,
        /// S: lack of space.
        6: LackOfSpace,
        /// N: not deportable.
        7: NotDeportable,
        /// T: transferred.
        8: Transferred,
        /// U: United States citizen interviewed.
        9: CitizenInterviewed,
        /// Declined by the local agency, in ICE's own records.
        10: DeclinedByLea,
        /// Prosecutorial discretion.
        11: ProsecutorialDiscretion,
        /// Early release.
        12: EarlyRelease,
        /// No longer in local custody.
        13: NoLongerInCustody,
        /// Not amenable to removal.
        14: NotAmenable,
        /// A later form's *cancels* box.
        15: CancelledByForm,
    }

    /// What has to be told to whom (DOMAIN.md §2 *Duties*).
    DutyKind {
        /// To the issuing office: acknowledgement with the decision and its reason.
        1: Acknowledge,
        /// To the issuing office: notice of release.
        2: NotifyRelease,
        /// To the issuing office: the person died.
        3: NotifyDeath,
        /// To the issuing office: the person is in a hospital.
        4: NotifyHospital,
        /// To the issuing office: the person was transferred.
        5: NotifyTransfer,
        /// To the receiving agency: the form itself.
        6: RelayForm,
        /// To the subject: a copy of the form.
        7: CopyToSubject,
        /// To the subject: the decision.
        8: DecisionToSubject,
        /// To the subject: that a release date was given out.
        9: ReleaseDateToSubject,
        /// To look into a claim of citizenship.
        10: CitizenshipClaim,
    }

    /// How a notice was given.
    NoticeMethod {
        /// By e-mail.
        1: Email,
        /// By fax.
        2: Fax,
        /// By telephone.
        3: Telephone,
        /// In person.
        4: InPerson,
        /// Through a system both sides read.
        5: System,
        /// By letter.
        6: Letter,
    }
}
