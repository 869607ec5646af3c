-- Standing rules, and what a sweep over tickets looks at. Generated columns repeat what the JSON says, for indexes alone.

-- A ticket of an earlier version says less than one has to know. What still waited asks again: its time is up.
update aosiq_tickets set ticket = (
  ticket::jsonb
  || jsonb_build_object(
    'key', null,
    'bound', jsonb_build_object('actor', '', 'schema', repeat('0', 64), 'token', repeat('0', 64), 'policy', repeat('0', 64)),
    'decidedAt', case when state in ('approved', 'denied') then (ticket->>'proposedAt')::bigint end,
    'expiresAt', case when state in ('proposed', 'approved') then 0 else (ticket->>'expiresAt')::bigint end,
    'shown', (ticket->'shown')::jsonb || jsonb_build_object(
      'caller', ticket->>'requester',
      'evidence', (
        select coalesce(jsonb_agg(jsonb_build_object(
          'stamp', stamp, 'act', null, 'preview', 'not looked up', 'trust', 'untrusted')), '[]')
        from jsonb_array_elements_text((ticket->'shown'->'evidence')::jsonb) stamp)
    )
  ))::json;

alter table aosiq_tickets add column expires_at bigint generated always as ((ticket->>'expiresAt')::bigint) stored;
create index aosiq_tickets_overdue on aosiq_tickets (expires_at) where state in ('proposed', 'approved');
create index aosiq_tickets_pending on aosiq_tickets (split_part(session, '.', 1)) where state = 'proposed';

create table aosiq_rules (
  id         text primary key,
  rule       json not null,
  state      text generated always as (rule->>'state') stored,
  uses       int generated always as ((rule->>'uses')::int) stored,
  max_uses   int generated always as ((rule->'terms'->>'maxUses')::int) stored,
  expires_at bigint generated always as ((rule->'terms'->>'expiresAt')::bigint) stored,
  created_at bigint generated always as ((rule->>'createdAt')::bigint) stored,
  check (uses <= max_uses)
);
create index aosiq_rules_usable on aosiq_rules (expires_at) where state = 'standing' and uses < max_uses;

-- One line a use: what a rule approved, and once more that no use is consumed twice.
create table aosiq_rule_uses (
  rule    text not null references aosiq_rules (id),
  use     int not null,
  session text not null,
  seq     int not null,
  at      bigint not null,
  primary key (rule, use)
);
