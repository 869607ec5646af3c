-- Which chains have moved lately, without a look at those that have not.
create index aosiq_rows_at on aosiq_rows (at);
