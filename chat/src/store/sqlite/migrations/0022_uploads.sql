-- An upload that can be resumed: how many bytes the client sends, and what it says of the file. A file
-- without a length arrives with one request.
alter table file add column upload_length bigint;
alter table file add column upload_metadata text;
