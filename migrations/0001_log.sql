-- The log: chain, journal, evidence, tickets and accounts. Instants are epoch milliseconds, money micro-dollars.
create table aosiq_sessions (
  id         text primary key,
  actor      text not null,
  parent     text,
  caller     text not null,
  accounts   json not null,
  status     text not null,
  epoch      int not null,
  seq        int not null,
  head       text not null,
  token      text not null,
  input      text not null,
  result     text,
  started_at bigint not null
);

-- `body` is the canonical JSON that the hash covers, kept to the byte.
create table aosiq_rows (
  session text not null,
  seq     int not null,
  at      bigint not null,
  key     text,
  body    text not null,
  prev    text not null,
  hash    text not null,
  primary key (session, seq)
);

create table aosiq_payloads (
  hash text primary key,
  text text not null
);

-- One line an act: what makes it happen once, and what its end settles.
create table aosiq_acts (
  session  text not null,
  key      text not null,
  name     text not null,
  intent   int not null,
  reserved bigint not null,
  accounts json not null,
  ticket   text,
  state    text not null,
  primary key (session, key)
);

create table aosiq_accounts (
  id       text primary key,
  ceiling  bigint not null,
  reserved bigint not null,
  spent    bigint not null
);

create table aosiq_tickets (
  id      text primary key,
  session text not null,
  state   text not null,
  ticket  json not null
);
create index aosiq_tickets_session on aosiq_tickets (session);

create table aosiq_revoked (
  token text primary key
);
