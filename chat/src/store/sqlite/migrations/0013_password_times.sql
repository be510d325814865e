-- When the password of an account was set; null if there is none, or an earlier version has set it.
alter table account add column password_set_at bigint;
