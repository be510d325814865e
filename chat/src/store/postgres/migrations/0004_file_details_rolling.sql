-- What is known of a file beside its bytes, as the migration of SQLite explains it. Servers of earlier
-- versions leave it as it is.
alter table file add column details text collate "C";
