-- Uploads that can be resumed, as the migration of SQLite explains them. Servers of earlier versions go
-- on: they give such an upload up as every other one, and a later look finds its pieces.
alter table file add column upload_length bigint;
alter table file add column upload_metadata text collate "C";
