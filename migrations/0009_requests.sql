-- Requests that callers made under a key, with what they were answered. `told` is set where the answer is not kept; `at` is
-- epoch milliseconds.
create table aosiq_requests (
  caller       text not null,
  key          text not null,
  fingerprint  text not null,
  at           bigint not null,
  told         boolean not null default false,
  status       int,
  content_type text,
  body         text,
  primary key (caller, key)
);
create index aosiq_requests_at on aosiq_requests (at);
