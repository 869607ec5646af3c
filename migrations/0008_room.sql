-- Every row of the log moves its session. With room left in a page the new version stays beside the old one, and no index
-- is written.
alter table aosiq_sessions set (fillfactor = 70);
