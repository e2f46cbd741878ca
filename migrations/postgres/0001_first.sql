-- The first shape of the database. The columns are described in src/rows/tables.rs; the conformance suite
-- compares. Instants are microseconds of UTC, days are day numbers, money is cents.
--
-- The busy ones among the versioned tables have no index of current versions: the key leads to them in a step or two,
-- closing counts what it closes, and such an index took a fifth of the time of a write.

create table heads (
  county      text collate "C" not null,
  seq         bigint           not null,
  frontier    bytea            not null,
  recorded_at bigint           not null,
  format      bigint           not null,
  epoch       bigint           not null,
  primary key (county)
) with (fillfactor = 50);

create table journal (
  county      text collate "C" not null,
  seq         bigint           not null,
  stream      text collate "C" not null,
  last_seq    bigint           not null,
  recorded_at bigint           not null,
  payload     bytea            not null,
  leaf        bytea            not null,
  root        bytea,
  primary key (county, seq)
);
create index journal_by_stream on journal (county, stream, seq);

create table requests (
  county      text collate "C" not null,
  request_id  text collate "C" not null,
  fingerprint bytea            not null,
  first_seq   bigint           not null,
  last_seq    bigint           not null,
  primary key (county, request_id)
);

create table subjects (
  county       text collate "C" not null,
  subject      text collate "C" not null,
  wrapped_key  bytea,
  sealed       bytea,
  commitment   bytea            not null,
  a_number_key bytea,
  local_id_key bytea,
  name_key     bytea,
  birth_key    bytea,
  primary key (county, subject)
);
create index subjects_by_a_number on subjects (county, a_number_key) where a_number_key is not null;
create index subjects_by_local_id on subjects (county, local_id_key) where local_id_key is not null;
create index subjects_by_name on subjects (county, name_key) where name_key is not null;

create table sealed (
  county  text collate "C" not null,
  digest  bytea            not null,
  kind    text collate "C" not null,
  subject text collate "C",
  sealed  bytea            not null,
  primary key (county, digest)
);
create index sealed_by_subject on sealed (county, subject) where subject is not null;

create table secrets (
  county text collate "C" not null,
  kind   text collate "C" not null,
  sealed bytea            not null,
  primary key (county, kind)
);

create table principals (
  id         text collate "C" not null,
  token_hash bytea            not null,
  display    text collate "C" not null,
  person     text collate "C" not null,
  roles      text collate "C" not null,
  counties   text collate "C" not null,
  created_at bigint           not null,
  expires_at bigint,
  revoked_at bigint,
  primary key (id)
);
create unique index principals_by_token on principals (token_hash);

create table settings (
  county         text collate "C" not null,
  kind           text collate "C" not null,
  id             text collate "C" not null,
  effective_from bigint,
  body           bytea            not null,
  from_seq       bigint           not null,
  to_seq         bigint,
  primary key (county, kind, id, from_seq)
);
create unique index settings_current on settings (county, kind, id) where to_seq is null;
create index settings_by_seq on settings (county, from_seq);

create table bookings (
  county          text collate "C" not null,
  booking         text collate "C" not null,
  subject         text collate "C" not null,
  facility        text collate "C" not null,
  booked_at       bigint not null,
  bases_known     bigint not null,
  t0              bigint,
  authority_until bigint,
  gap_end         bigint,
  settle_at       bigint,
  alert_at        bigint,
  ended_at        bigint,
  end_kind        bigint,
  from_seq        bigint not null,
  to_seq          bigint,
  primary key (county, booking, from_seq)
);
create index bookings_by_time on bookings (county, booked_at, booking);
create index bookings_by_subject on bookings (county, subject) where to_seq is null;

create table detainers (
  county       text collate "C" not null,
  booking      text collate "C" not null,
  detainer     text collate "C" not null,
  facility     text collate "C" not null,
  received_at  bigint not null,
  received_day bigint not null,
  office       text collate "C" not null,
  component    bigint not null,
  event_no     text collate "C" not null,
  form_date    bigint,
  edition      bigint not null,
  state        bigint not null,
  lift_reason  bigint,
  closed_at    bigint,
  effect_at    bigint,
  outcome      bigint,
  reason       bigint,
  revision     text collate "C",
  mode         bigint,
  agreement    text collate "C",
  decisions    bigint not null,
  asks_hold    bigint not null,
  duties       bytea not null,
  next_due     bigint,
  review_at    bigint,
  from_seq     bigint not null,
  to_seq       bigint,
  primary key (county, booking, detainer, from_seq)
);
create index detainers_by_next_due on detainers (county, next_due) where to_seq is null and next_due is not null;
create index detainers_in_review on detainers (county, review_at) where to_seq is null and review_at is not null;

create table decisions (
  county       text collate "C" not null,
  booking      text collate "C" not null,
  detainer     text collate "C" not null,
  n            bigint not null,
  seq          bigint not null,
  effective_at bigint not null,
  outcome      bigint not null,
  reason       bigint not null,
  revision     text collate "C",
  mode         bigint,
  primary key (county, booking, detainer, n)
);

create table holds (
  county              text collate "C" not null,
  booking             text collate "C" not null,
  hold                text collate "C" not null,
  continues           text collate "C",
  detainer            text collate "C" not null,
  revision            text collate "C" not null,
  mode                bigint,
  facility            text collate "C" not null,
  office              text collate "C" not null,
  edition             bigint not null,
  t0                  bigint not null,
  started_at          bigint not null,
  authority_until     bigint not null,
  end_reason          bigint not null,
  deadline            bigint not null,
  contiguous_deadline bigint not null,
  business_deadline   bigint not null,
  used_us             bigint not null,
  gap_end             bigint,
  voided              bigint not null,
  from_seq            bigint not null,
  to_seq              bigint,
  primary key (county, booking, hold, from_seq)
);
create index holds_running on holds (county, authority_until) where to_seq is null and gap_end is null;
create index holds_by_start on holds (county, started_at);
create index bookings_with_gap on bookings (county, gap_end) where to_seq is null and gap_end is not null;
create index bookings_to_settle on bookings (county, settle_at) where to_seq is null and settle_at is not null;
create index bookings_to_alert on bookings (county, alert_at) where to_seq is null and alert_at is not null;
create index bookings_past_t0 on bookings (county, authority_until) where to_seq is null and t0 is not null;
create index bookings_by_t0 on bookings (county, t0) where t0 is not null;

create table budgets (
  county         text collate "C" not null,
  agreement      text collate "C" not null,
  reserved_cents bigint           not null,
  spent_cents    bigint           not null,
  from_seq       bigint           not null,
  to_seq         bigint,
  primary key (county, agreement, from_seq)
);
create unique index budgets_current on budgets (county, agreement) where to_seq is null;
create index budgets_by_seq on budgets (county, from_seq);

create table proposals (
  county       text collate "C" not null,
  proposal     text collate "C" not null,
  booking      text collate "C" not null,
  seq          bigint           not null,
  expires_at   bigint           not null,
  confirmed_at bigint,
  from_seq     bigint           not null,
  to_seq       bigint,
  primary key (county, proposal, from_seq)
);
create unique index proposals_current on proposals (county, proposal) where to_seq is null;
create index proposals_newest on proposals (county, seq);

create table postings (
  county         text collate "C" not null,
  seq            bigint not null,
  n              bigint not null,
  booking        text collate "C" not null,
  hold           text collate "C",
  t0             bigint not null,
  facility       text collate "C" not null,
  rate           text collate "C",
  detainer       text collate "C",
  office         text collate "C" not null,
  edition        bigint,
  revision       text collate "C",
  mode           bigint,
  agreement      text collate "C",
  local_day      bigint not null,
  start_at       bigint not null,
  end_at         bigint not null,
  authority      bigint not null,
  incurred_cents bigint not null,
  covered_cents  bigint not null,
  cause          bigint not null,
  reverses_seq   bigint,
  reverses_n     bigint,
  accounted_day  bigint not null,
  marginal_cents bigint,
  primary key (county, seq, n)
);
create index postings_by_day on postings (county, local_day);
create index postings_by_booking on postings (county, booking);
create index postings_accounted on postings (county, accounted_day);
create index postings_reversing on postings (county, reverses_seq, reverses_n) where reverses_seq is not null;
create index postings_owed on postings (county, agreement, seq) where agreement is not null;
