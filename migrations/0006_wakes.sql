-- Trees of sessions that are to be run again, from `due` (epoch milliseconds) on.
create table aosiq_wakes (
  session text not null,
  reason  text not null,
  due     bigint not null,
  primary key (session, reason)
);
create index aosiq_wakes_due on aosiq_wakes (due);

-- A tree as a whole: what an operator pauses, resumes and cancels.
create index aosiq_sessions_root on aosiq_sessions (split_part(id, '.', 1));
create index aosiq_tickets_root on aosiq_tickets (split_part(session, '.', 1));

-- What runs now, found without a look at what has ended.
create index aosiq_sessions_running on aosiq_sessions (started_at) where status = 'running' and parent is null;
