-- What the names in the lobby look like. The start computes the skeletons of the names that are
-- taken already.
alter table lobby_name add column skeleton text not null default '';
alter table lobby_name add column cased_skeleton text not null default '';
create index lobby_name_skeleton on lobby_name (room, skeleton, cased_skeleton);
create index lobby_name_cased_skeleton on lobby_name (room, cased_skeleton, skeleton);
