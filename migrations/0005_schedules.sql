-- What an installation keeps beside its sessions: schedules, their firings, dead letters. `version` counts changes,
-- `at` is the instant (epoch milliseconds) that a record is listed by.
create table aosiq_records (
  kind    text not null,
  id      text not null,
  version int not null,
  owner   text not null,
  state   text not null,
  at      bigint not null,
  value   json,
  primary key (kind, id)
);
create index aosiq_records_state on aosiq_records (kind, state, at);
create index aosiq_records_owner on aosiq_records (kind, owner, at);

-- Dead letters as an operator at the database sees them.
create view aosiq_dead_letters as
  select id, value->>'kind' as kind, value->>'session' as session, value->>'reason' as reason,
    value->'payload' as payload, at, (value->>'attempts')::int as attempts, state, value->>'by' as by
  from aosiq_records where kind = 'dead_letter';

-- How many children a session has had, and how many of a tree live.
create index aosiq_sessions_parent on aosiq_sessions (parent) where parent is not null;
create index aosiq_sessions_live on aosiq_sessions (split_part(id, '.', 1))
  where status in ('running', 'waiting', 'paused');
