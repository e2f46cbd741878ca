-- The first shape of the database. The columns are described in src/rows/tables.rs; the conformance suite
-- compares. Instants are microseconds of UTC, days are day numbers, money is cents.
--
-- Most tables lie in the order of their key (`without rowid`). Those with wide rows and keys of no order do not: a
-- new row would dirty a page of wide rows instead of one of an index. The busy ones among the versioned tables have
-- no index of current versions: the key leads to them in a step or two, closing counts what it closes, and such an
-- index took a fifth of the time of a write.

create table heads (
  county      text    not null,
  seq         integer not null,
  frontier    blob    not null,
  recorded_at integer not null,
  format      integer not null,
  epoch       integer not null,
  primary key (county)
) strict, without rowid;

create table journal (
  county      text    not null,
  seq         integer not null,
  stream      text    not null,
  last_seq    integer not null,
  recorded_at integer not null,
  payload     blob    not null,
  leaf        blob    not null,
  root        blob,
  primary key (county, seq)
) strict, without rowid;
create index journal_by_stream on journal (county, stream, seq);

create table requests (
  county      text    not null,
  request_id  text    not null,
  fingerprint blob    not null,
  first_seq   integer not null,
  last_seq    integer not null,
  primary key (county, request_id)
) strict, without rowid;

create table subjects (
  county       text not null,
  subject      text not null,
  wrapped_key  blob,
  sealed       blob,
  commitment   blob not null,
  a_number_key blob,
  local_id_key blob,
  name_key     blob,
  birth_key    blob,
  primary key (county, subject)
) strict, without rowid;
create index subjects_by_a_number on subjects (county, a_number_key) where a_number_key is not null;
create index subjects_by_local_id on subjects (county, local_id_key) where local_id_key is not null;
create index subjects_by_name on subjects (county, name_key) where name_key is not null;

create table sealed (
  county  text not null,
  digest  blob not null,
  kind    text not null,
  subject text,
  sealed  blob not null,
  primary key (county, digest)
) strict;
create index sealed_by_subject on sealed (county, subject) where subject is not null;

create table secrets (
  county text not null,
  kind   text not null,
  sealed blob not null,
  primary key (county, kind)
) strict, without rowid;

create table principals (
  id         text    not null,
  token_hash blob    not null,
  display    text    not null,
  person     text    not null,
  roles      text    not null,
  counties   text    not null,
  created_at integer not null,
  expires_at integer,
  revoked_at integer,
  primary key (id)
) strict, without rowid;
create unique index principals_by_token on principals (token_hash);

create table settings (
  county         text    not null,
  kind           text    not null,
  id             text    not null,
  effective_from integer,
  body           blob    not null,
  from_seq       integer not null,
  to_seq         integer,
  primary key (county, kind, id, from_seq)
) strict, without rowid;
create unique index settings_current on settings (county, kind, id) where to_seq is null;
create index settings_by_seq on settings (county, from_seq);

create table bookings (
  county          text not null,
  booking         text not null,
  subject         text not null,
  facility        text not null,
  booked_at       integer not null,
  bases_known     integer not null,
  t0              integer,
  authority_until integer,
  gap_end         integer,
  settle_at       integer,
  alert_at        integer,
  ended_at        integer,
  end_kind        integer,
  from_seq        integer not null,
  to_seq          integer,
  primary key (county, booking, from_seq)
) strict;
create index bookings_by_time on bookings (county, booked_at, booking);
create index bookings_by_subject on bookings (county, subject) where to_seq is null;

create table detainers (
  county       text not null,
  booking      text not null,
  detainer     text not null,
  facility     text not null,
  received_at  integer not null,
  received_day integer not null,
  office       text not null,
  component    integer not null,
  event_no     text not null,
  form_date    integer,
  edition      integer not null,
  state        integer not null,
  lift_reason  integer,
  closed_at    integer,
  effect_at    integer,
  outcome      integer,
  reason       integer,
  revision     text,
  mode         integer,
  agreement    text,
  decisions    integer not null,
  asks_hold    integer not null,
  duties       blob not null,
  next_due     integer,
  review_at    integer,
  from_seq     integer not null,
  to_seq       integer,
  primary key (county, booking, detainer, from_seq)
) strict;
create index detainers_by_next_due on detainers (county, next_due) where to_seq is null and next_due is not null;
create index detainers_in_review on detainers (county, review_at) where to_seq is null and review_at is not null;

create table decisions (
  county       text not null,
  booking      text not null,
  detainer     text not null,
  n            integer not null,
  seq          integer not null,
  effective_at integer not null,
  outcome      integer not null,
  reason       integer not null,
  revision     text,
  mode         integer,
  primary key (county, booking, detainer, n)
) strict, without rowid;

create table holds (
  county              text not null,
  booking             text not null,
  hold                text not null,
  continues           text,
  detainer            text not null,
  revision            text not null,
  mode                integer,
  facility            text not null,
  office              text not null,
  edition             integer not null,
  t0                  integer not null,
  started_at          integer not null,
  authority_until     integer not null,
  end_reason          integer not null,
  deadline            integer not null,
  contiguous_deadline integer not null,
  business_deadline   integer not null,
  used_us             integer not null,
  gap_end             integer,
  voided              integer not null,
  from_seq            integer not null,
  to_seq              integer,
  primary key (county, booking, hold, from_seq)
) strict;
create index holds_running on holds (county, authority_until) where to_seq is null and gap_end is null;
create index holds_by_start on holds (county, started_at);
create index bookings_with_gap on bookings (county, gap_end) where to_seq is null and gap_end is not null;
create index bookings_to_settle on bookings (county, settle_at) where to_seq is null and settle_at is not null;
create index bookings_to_alert on bookings (county, alert_at) where to_seq is null and alert_at is not null;
create index bookings_past_t0 on bookings (county, authority_until) where to_seq is null and t0 is not null;
create index bookings_by_t0 on bookings (county, t0) where t0 is not null;

create table budgets (
  county         text    not null,
  agreement      text    not null,
  reserved_cents integer not null,
  spent_cents    integer not null,
  from_seq       integer not null,
  to_seq         integer,
  primary key (county, agreement, from_seq)
) strict, without rowid;
create unique index budgets_current on budgets (county, agreement) where to_seq is null;
create index budgets_by_seq on budgets (county, from_seq);

create table proposals (
  county       text    not null,
  proposal     text    not null,
  booking      text    not null,
  seq          integer not null,
  expires_at   integer not null,
  confirmed_at integer,
  from_seq     integer not null,
  to_seq       integer,
  primary key (county, proposal, from_seq)
) strict, without rowid;
create unique index proposals_current on proposals (county, proposal) where to_seq is null;
create index proposals_newest on proposals (county, seq);

create table postings (
  county         text not null,
  seq            integer not null,
  n              integer not null,
  booking        text not null,
  hold           text,
  t0             integer not null,
  facility       text not null,
  rate           text,
  detainer       text,
  office         text not null,
  edition        integer,
  revision       text,
  mode           integer,
  agreement      text,
  local_day      integer not null,
  start_at       integer not null,
  end_at         integer not null,
  authority      integer not null,
  incurred_cents integer not null,
  covered_cents  integer not null,
  cause          integer not null,
  reverses_seq   integer,
  reverses_n     integer,
  accounted_day  integer not null,
  marginal_cents integer,
  primary key (county, seq, n)
) strict, without rowid;
create index postings_by_day on postings (county, local_day);
create index postings_by_booking on postings (county, booking);
create index postings_accounted on postings (county, accounted_day);
create index postings_reversing on postings (county, reverses_seq, reverses_n) where reverses_seq is not null;
create index postings_owed on postings (county, agreement, seq) where agreement is not null;

-- How many rows share a key, roughly, for a large county: all rows, then rows for each prefix of the index. Without it
-- SQLite takes each county for a handful of rows and reads all of one where an index leads to a single booking.
analyze sqlite_schema;
insert into sqlite_stat1 (tbl, idx, stat) values
  ('journal', 'journal', '1000000 100000 1'),
  ('journal', 'journal_by_stream', '1000000 100000 8 1'),
  ('requests', 'requests', '1000000 100000 1'),
  ('subjects', 'subjects', '200000 20000 1'),
  ('subjects', 'subjects_by_a_number', '100000 10000 1'),
  ('subjects', 'subjects_by_local_id', '100000 10000 1'),
  ('subjects', 'subjects_by_name', '200000 20000 2'),
  ('sealed', 'sqlite_autoindex_sealed_1', '500000 50000 1'),
  ('sealed', 'sealed_by_subject', '500000 50000 4'),
  ('settings', 'settings', '2000 200 40 2 1'),
  ('settings', 'settings_current', '1000 100 20 1'),
  ('settings', 'settings_by_seq', '1000 100 1'),
  ('bookings', 'sqlite_autoindex_bookings_1', '600000 60000 4 1'),
  ('bookings', 'bookings_by_time', '600000 60000 8 4'),
  ('bookings', 'bookings_by_subject', '200000 20000 2'),
  ('bookings', 'bookings_by_t0', '100000 10000 2'),
  ('bookings', 'bookings_past_t0', '1000 100 1'),
  ('bookings', 'bookings_to_alert', '1000 100 1'),
  ('bookings', 'bookings_to_settle', '1000 100 1'),
  ('bookings', 'bookings_with_gap', '100000 10000 2'),
  ('detainers', 'sqlite_autoindex_detainers_1', '400000 40000 4 3 1'),
  ('detainers', 'detainers_by_next_due', '10000 1000 2'),
  ('detainers', 'detainers_in_review', '1000 100 1'),
  ('decisions', 'decisions', '300000 30000 3 2 1'),
  ('holds', 'sqlite_autoindex_holds_1', '200000 20000 4 3 1'),
  ('holds', 'holds_by_start', '200000 20000 3'),
  ('holds', 'holds_running', '1000 100 1'),
  ('budgets', 'budgets', '20000 2000 500 1'),
  ('budgets', 'budgets_current', '40 4 1'),
  ('budgets', 'budgets_by_seq', '4000 400 1'),
  ('proposals', 'proposals', '4000 400 2 1'),
  ('proposals', 'proposals_newest', '4000 400 1'),
  ('proposals', 'proposals_current', '2000 200 1'),
  ('postings', 'postings', '1000000 100000 8 1'),
  ('postings', 'postings_by_day', '1000000 100000 60'),
  ('postings', 'postings_accounted', '1000000 100000 60'),
  ('postings', 'postings_reversing', '10000 1000 1 1'),
  ('postings', 'postings_owed', '500000 50000 5000 3'),
  ('postings', 'postings_by_booking', '1000000 100000 8');
analyze sqlite_schema;
