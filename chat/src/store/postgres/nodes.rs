//! What the nodes write for each other: that they are there, their notifications, and who is present
//! by way of each.
//!
//! # Guarantees
//! - Times are compared by the clock of the database alone.
//! - Rows of a node that is gone are removed.
//!
//! # Not here
//! - When to write and to read: `nodes`.

use protocol::RoomId;

use super::notify::CHANNEL;
use super::pool::PostgresPools;
use crate::Error;
use crate::store::rows::{key, room_id};

/// After how long without a renewal a node counts as gone.
macro_rules! lease {
    () => {
        "interval '5 s'"
    };
}

/// How long a notification can be read again. The newest one of a node always can.
macro_rules! kept {
    () => {
        "interval '30 s'"
    };
}

/// The most notifications of one node that one statement reads.
pub(crate) const RINGS_MAX: usize = 100;

/// A notification of a node: its number among those of the node, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NumberedText {
    pub number: i64,
    pub text: String,
}

/// What a node has missed of another one.
#[derive(Clone, Debug)]
pub(crate) struct NodeNews {
    pub node: i64,
    /// Whether the node is still there.
    pub is_there: bool,
    /// At most [`RINGS_MAX`], in their order.
    pub missed: Vec<NumberedText>,
}

/// How a node has renewed that it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Renewal {
    Renewed,
    /// The others have removed what the node had written, or the database has lost it.
    Forgotten,
}

/// The names that are present in a room by way of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PresentNames {
    pub room: RoomId,
    pub names: Vec<String>,
    /// How many there are, if these are not all.
    pub count: usize,
}

impl PostgresPools {
    /// Notes that a node is there, and removes what those that are gone have left.
    pub async fn renew_node(&self, node: i64) -> Result<Renewal, Error> {
        let sql = concat!(
            "with gone as (
                 delete from node where id <> $1 and there_at < clock_timestamp() - ",
            lease!(),
            " - ",
            lease!(),
            "    returning id
             ),
             old as (
                 delete from node_ring
                 where node = $1 and at < clock_timestamp() - ",
            kept!(),
            "    and number < (select max(number) from node_ring where node = $1)
             ),
             renewed as (
                 insert into node (id, there_at) values ($1, clock_timestamp())
                 on conflict (id) do update set there_at = excluded.there_at
                 returning xmax = 0 as is_new
             )
             select is_new, array(select id from gone) from renewed"
        );
        let (is_new, gone): (bool, Vec<i64>) = sqlx::query_as(sql)
            .bind(node)
            .fetch_one(self.write())
            .await?;
        if !gone.is_empty() {
            self.remove_traces("node = any($1)", &gone).await?;
        }
        Ok(if is_new {
            Renewal::Forgotten
        } else {
            Renewal::Renewed
        })
    }

    /// Joins the nodes, and removes the rows of nodes that no longer exist.
    pub async fn join_nodes(&self, node: i64) -> Result<(), Error> {
        self.renew_node(node).await?;
        let orphaned = "node <> all($1) and not exists (select from node where id = node)";
        self.remove_traces(orphaned, &[node]).await
    }

    async fn remove_traces(&self, condition: &str, nodes: &[i64]) -> Result<(), Error> {
        for table in ["node_presence", "node_ring"] {
            let sql = format!("delete from {table} where {condition}");
            sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(nodes)
                .execute(self.write())
                .await?;
        }
        Ok(())
    }

    /// Sends notifications to all nodes, and keeps them for those that they do not reach. It may be
    /// tried again.
    pub async fn ring(&self, node: i64, rings: &[NumberedText]) -> Result<(), Error> {
        let sql = format!(
            "with kept as (
                 insert into node_ring (node, number, at, text)
                 select $1, number, clock_timestamp(), text
                 from unnest($2::bigint[], $3::text[]) as sent (number, text)
                 on conflict do nothing
             )
             select pg_notify(({CHANNEL}), text) from unnest($3::text[]) as text"
        );
        let numbers: Vec<i64> = rings.iter().map(|ring| ring.number).collect();
        let texts: Vec<&str> = rings.iter().map(|ring| ring.text.as_str()).collect();
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(node)
            .bind(numbers)
            .bind(texts)
            .execute(self.write())
            .await?;
        Ok(())
    }

    /// The newest notification of each other node.
    pub async fn newest_rings(&self, node: i64) -> Result<Vec<(i64, i64)>, Error> {
        let sql = "select id, coalesce((select max(number) from node_ring where node = id), 0)
                   from node where id <> $1";
        let newest = sqlx::query_as(sql).bind(node).fetch_all(&self.read);
        Ok(newest.await?)
    }

    /// The other nodes, and what they have sent after the notifications that were heard of each.
    pub async fn missed_rings(
        &self,
        node: i64,
        heard: Vec<(i64, i64)>,
    ) -> Result<Vec<NodeNews>, Error> {
        let sql = concat!(
            "select id, there_at > clock_timestamp() - ",
            lease!(),
            ", missed.number, missed.text
             from node
             left join unnest($2::bigint[], $3::bigint[]) as heard (sender, number) on sender = id
             left join lateral (
                 select node_ring.number, text from node_ring
                 where node_ring.node = id and node_ring.number > coalesce(heard.number, 0)
                 order by node_ring.number limit $4
             ) as missed on true
             where id <> $1
             order by id, missed.number"
        );
        let (senders, numbers): (Vec<i64>, Vec<i64>) = heard.into_iter().unzip();
        let rows: Vec<(i64, bool, Option<i64>, Option<String>)> = sqlx::query_as(sql)
            .bind(node)
            .bind(senders)
            .bind(numbers)
            .bind(i64::try_from(RINGS_MAX).map_err(Error::fault)?)
            .fetch_all(&self.read)
            .await?;
        let mut nodes: Vec<NodeNews> = Vec::new();
        for (node, is_there, number, text) in rows {
            if nodes.last().is_none_or(|last| last.node != node) {
                nodes.push(NodeNews {
                    node,
                    is_there,
                    missed: Vec::new(),
                });
            }
            if let Some(last) = nodes.last_mut()
                && let (Some(number), Some(text)) = (number, text)
            {
                last.missed.push(NumberedText { number, text });
            }
        }
        Ok(nodes)
    }

    /// Writes who is present by way of a node in these rooms.
    pub async fn save_presence(&self, node: i64, rooms: &[PresentNames]) -> Result<(), Error> {
        let sql = "with changed as (
                 select * from unnest($2::bigint[], $3::text[], $4::bigint[])
                     as changed (changed_room, changed_names, changed_count)
             ),
             emptied as (
                 delete from node_presence using changed
                 where node = $1 and room = changed_room and changed_count = 0
             )
             insert into node_presence (room, node, names, count)
             select changed_room, $1, changed_names, changed_count from changed
             where changed_count > 0 order by changed_room
             on conflict (room, node) do update set names = excluded.names, count = excluded.count";
        let ids: Vec<i64> = rooms.iter().map(|room| key(room.room)).collect();
        let names = rooms.iter().map(|room| serde_json::to_string(&room.names));
        let names: Vec<String> = names.collect::<Result<_, _>>().map_err(Error::fault)?;
        let counts: Result<Vec<i64>, _> =
            rooms.iter().map(|room| i64::try_from(room.count)).collect();
        sqlx::query(sql)
            .bind(node)
            .bind(ids)
            .bind(names)
            .bind(counts.map_err(Error::fault)?)
            .execute(self.write())
            .await?;
        Ok(())
    }

    /// Who is present in these rooms by way of each of the other nodes that are there.
    pub async fn load_presence(
        &self,
        node: i64,
        rooms: &[RoomId],
    ) -> Result<Vec<PresentNames>, Error> {
        let sql = concat!(
            "select room, names, count from node_presence join node on id = node
             where room = any($2) and node <> $1 and there_at > clock_timestamp() - ",
            lease!()
        );
        let ids: Vec<i64> = rooms.iter().map(|room| key(*room)).collect();
        let rows: Vec<(i64, String, i64)> = sqlx::query_as(sql)
            .bind(node)
            .bind(ids)
            .fetch_all(&self.read)
            .await?;
        let present = rows.into_iter().map(|(room, names, count)| {
            Ok(PresentNames {
                room: room_id(room),
                names: serde_json::from_str(&names).map_err(Error::fault)?,
                count: usize::try_from(count).map_err(Error::fault)?,
            })
        });
        present.collect()
    }
}
