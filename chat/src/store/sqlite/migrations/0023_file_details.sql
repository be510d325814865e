-- What is known of a file beside its bytes, as JSON: the size of a picture, its preview, and whether the
-- sender wants the bytes to stay as they are.
alter table file add column details text;
