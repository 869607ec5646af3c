-- What decides whether an act may be done again when its outcome is lost, and on which arguments.
alter table aosiq_acts add column args text not null default '';
alter table aosiq_acts add column repeat text not null default 'always';
update aosiq_acts set repeat = 'never' where ticket is not null;
update aosiq_acts a set args = r.body::json->>'args'
  from aosiq_rows r where r.session = a.session and r.seq = a.intent and r.body::json->>'args' is not null;

-- Acts whose outcome is open: few, among many that have finished.
create index aosiq_acts_unknown on aosiq_acts (session, intent) where state = 'unknown';
