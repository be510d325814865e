-- The page of a room shows its owner, its moderators and the operators, whatever the number of
-- members and accounts.
create index member_visible_role on member (room, role desc, joined_at, person) where role >= 2;
create index account_operator on account (username) where operator;
