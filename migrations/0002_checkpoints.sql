-- The state of runs, to go on from. It changes in the transaction of the row that names it, and is gone when its session
-- ends. Dead rows are many and live ones few: they are cleared away early.
create table aosiq_checkpoints (
  session   text not null,
  thread    text collate "C" not null,
  ns        text collate "C" not null,
  id        text collate "C" not null,
  parent    text,
  within    text,
  needs     int not null,
  channels  json not null,
  base      text not null,
  seq       int not null,
  type      text not null,
  state     text not null,
  meta_type text not null,
  metadata  text not null,
  primary key (session, thread, ns, id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- What channels hold, once each.
create table aosiq_values (
  session text not null,
  thread  text collate "C" not null,
  hash    text not null,
  type    text not null,
  text    text not null,
  primary key (session, thread, hash)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- What tasks left, until the step that they belong to is over.
create table aosiq_writes (
  session text not null,
  thread  text collate "C" not null,
  ns      text collate "C" not null,
  id      text collate "C" not null,
  task    text collate "C" not null,
  idx     int not null,
  path    text not null,
  channel text not null,
  hash    text not null,
  type    text not null,
  text    text not null,
  primary key (session, thread, ns, id, task, idx)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- Working memory: the payload that each key holds.
create table aosiq_memory (
  session text not null,
  key     text collate "C" not null,
  hash    text not null,
  primary key (session, key)
);
