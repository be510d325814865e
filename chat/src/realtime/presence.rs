//! Who is here and who is typing in one room: the rules, without time or tasks of their own.
//!
//! Promises: what is told is always the whole state, never a difference, and only when it has changed; a name is told
//! once it has been here for a second, and as gone once it has been away for five, so that a reload, a reconnect and a
//! glance are not told; what is held is bounded by the connections there are. Leaves to others: when to look
//! ([`Presence::settle`]), and to whom to tell it (the hub).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use protocol::{RoomId, Time};
use serde::Serialize;

use crate::realtime::frame::Ephemeral;

/// How long a name is here before that is told.
const ARRIVED: Duration = Duration::from_secs(1);

/// How long a name is away before that is told.
const GONE: Duration = Duration::from_secs(5);

/// How long somebody types, unless it is said again.
const TYPING: Duration = Duration::from_secs(6);

/// The most names in one event; all of them are counted.
const NAMES_MAX: usize = 100;

/// The most names that type at once; more would tell nobody anything.
const TYPING_MAX: usize = 16;

/// The most names that are away and not yet told as gone; those beyond are gone at once.
const LINGERING_MAX: usize = 1_000;

type Name = Arc<str>;

/// The people of one room.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    /// How many connections each name has that is here.
    connections: BTreeMap<Name, usize>,
    /// The names that were told as here.
    announced: BTreeSet<Name>,
    /// The names that are in one of the two above and not in the other, and since when.
    turning: BTreeMap<Name, Time>,
    /// Who types, and until when unless it is said again.
    typing: BTreeMap<Name, Time>,
    told_here: Told,
    told_typing: Told,
}

/// What was told last of one kind.
#[derive(Debug, Default)]
struct Told {
    version: u64,
    event: Option<Ephemeral>,
    is_empty: bool,
    /// Whether there may be something new to tell.
    stale: bool,
}

/// What a listener has heard: the versions of both kinds, 0 before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    here: u64,
    typing: u64,
}

#[derive(Serialize)]
struct Here<'a> {
    room: RoomId,
    here: Vec<&'a str>,
    count: usize,
}

#[derive(Serialize)]
struct Typing<'a> {
    room: RoomId,
    usernames: Vec<&'a str>,
}

impl Presence {
    /// A connection of this name has begun.
    pub fn join(&mut self, name: &Name, now: Time) {
        let connections = self.connections.entry(name.clone()).or_default();
        *connections += 1;
        if *connections > 1 {
            return;
        }
        if self.announced.contains(name) {
            self.turning.remove(name);
        } else {
            self.turning.insert(name.clone(), now);
        }
    }

    /// A connection of this name has ended.
    pub fn leave(&mut self, name: &Name, now: Time) {
        let Some(connections) = self.connections.get_mut(name) else {
            return;
        };
        *connections -= 1;
        if *connections > 0 {
            return;
        }
        self.stops_typing(name);
        if !self.announced.contains(name) {
            self.turning.remove(name);
        } else if self.lingering() < LINGERING_MAX {
            self.turning.insert(name.clone(), now);
        } else {
            self.announced.remove(name);
            self.told_here.stale = true;
        }
        self.connections.remove(name);
    }

    /// How many names are away and not yet told as gone. Those that turn are either that, or here and not yet told.
    fn lingering(&self) -> usize {
        (self.turning.len() + self.announced.len() - self.connections.len()) / 2
    }

    /// Somebody types, here or not.
    pub fn types(&mut self, name: Name, now: Time) {
        if self.typing.len() < TYPING_MAX || self.typing.contains_key(&name) {
            self.typing.insert(name, now.after(TYPING));
            self.told_typing.stale = true;
        }
    }

    /// These have written what they were typing. Costs nothing while nobody types.
    pub fn wrote<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) {
        if !self.typing.is_empty() {
            names.into_iter().for_each(|name| self.stops_typing(name));
        }
    }

    fn stops_typing(&mut self, name: &str) {
        self.told_typing.stale |= self.typing.remove(name).is_some();
    }

    /// Looks at what time has brought; whether there is something new to tell.
    pub fn settle(&mut self, room: RoomId, now: Time) -> bool {
        self.turn(now);
        let typing = self.typing.len();
        self.typing.retain(|_, end| {
            // A clock that was set back makes nobody type for hours.
            *end = (*end).min(now.after(TYPING));
            *end > now
        });
        self.told_typing.stale |= self.typing.len() < typing;
        let here = self.told_here.tell(self.announced.is_empty(), || {
            let here = self
                .announced
                .iter()
                .take(NAMES_MAX)
                .map(AsRef::as_ref)
                .collect();
            Ephemeral::encode(
                "presence",
                &Here {
                    room,
                    here,
                    count: self.announced.len(),
                },
            )
        });
        let typing = self.told_typing.tell(self.typing.is_empty(), || {
            let usernames = self.typing.keys().map(AsRef::as_ref).collect();
            Ephemeral::encode("typing", &Typing { room, usernames })
        });
        here || typing
    }

    /// Announces those who have been here, or away, for long enough.
    fn turn(&mut self, now: Time) {
        let Self {
            connections,
            announced,
            turning,
            told_here,
            ..
        } = self;
        turning.retain(|name, since| {
            *since = (*since).min(now);
            let is_here = connections.contains_key(name);
            if now.since(*since) < if is_here { ARRIVED } else { GONE } {
                return true;
            }
            if is_here {
                announced.insert(name.clone())
            } else {
                announced.remove(name)
            };
            told_here.stale = true;
            false
        });
    }

    /// Whether time alone changes nothing any more.
    pub fn is_settled(&self) -> bool {
        self.turning.is_empty() && self.typing.is_empty()
    }

    /// Whether nobody is here, lingers or types.
    pub fn is_empty(&self) -> bool {
        self.connections.is_empty() && self.is_settled()
    }

    /// The newest state that a listener has not heard, and what it has heard then. Who has heard nothing yet is not told
    /// that there is nobody.
    pub fn news(&self, heard: Heard) -> Option<(Ephemeral, Heard)> {
        if let Some(event) = self.told_here.news(heard.here) {
            return Some((
                event,
                Heard {
                    here: self.told_here.version,
                    ..heard
                },
            ));
        }
        let event = self.told_typing.news(heard.typing)?;
        Some((
            event,
            Heard {
                typing: self.told_typing.version,
                ..heard
            },
        ))
    }
}

impl Told {
    fn tell(&mut self, is_empty: bool, encode: impl FnOnce() -> Ephemeral) -> bool {
        let stale = std::mem::take(&mut self.stale);
        if !stale || (is_empty && self.event.is_none()) {
            return false;
        }
        let event = Some(encode());
        if self.event == event {
            return false;
        }
        (self.event, self.is_empty) = (event, is_empty);
        self.version += 1;
        true
    }

    fn news(&self, heard: u64) -> Option<Ephemeral> {
        let is_new = self.version != heard && !(heard == 0 && self.is_empty);
        self.event.clone().filter(|_| is_new)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};
    use serde_json::Value;

    use super::*;

    /// A room, a clock, and one listener.
    #[derive(Default)]
    struct Room {
        presence: Presence,
        millis: i64,
        heard: Heard,
    }

    impl Room {
        fn now(&self) -> Time {
            Time::from_millis(self.millis)
        }

        fn join(&mut self, name: &str) {
            self.presence.join(&name.into(), self.now());
        }

        fn leave(&mut self, name: &str) {
            self.presence.leave(&name.into(), self.now());
        }

        fn types(&mut self, name: &str) {
            self.presence.types(name.into(), self.now());
        }

        /// Lets so many ticks of half a second pass; gives back what the listener was told.
        fn ticks(&mut self, ticks: usize) -> Vec<String> {
            let mut told = Vec::new();
            for _ in 0..ticks {
                self.millis += 500;
                self.presence.settle(RoomId::from_bytes([1; 8]), self.now());
                while let Some((event, heard)) = self.presence.news(self.heard) {
                    self.heard = heard;
                    told.push(brief(&event));
                }
            }
            told
        }
    }

    /// An event in short: `here: ada grace (2)`, `typing: ada`.
    fn brief(event: &Ephemeral) -> String {
        let data: Value = serde_json::from_slice(&event.json()).unwrap();
        assert_eq!(data["room"], "0101010101010101");
        let names = |field: &str| {
            let names = data[field]
                .as_array()
                .unwrap()
                .iter()
                .map(|name| name.as_str().unwrap());
            names.collect::<Vec<_>>().join(" ")
        };
        match event.name() {
            "presence" => format!("here: {} ({})", names("here"), data["count"]),
            "typing" => format!("typing: {}", names("usernames")),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_name_is_told_after_a_second_and_as_gone_after_five() {
        let mut room = Room::default();
        room.join("grace");
        room.join("ada");
        assert_eq!(room.ticks(1), [""; 0]);
        assert_eq!(room.ticks(1), ["here: ada grace (2)"]);
        room.leave("ada");
        assert_eq!(room.ticks(9), [""; 0]);
        assert_eq!(room.ticks(1), ["here: grace (1)"]);
        room.leave("grace");
        assert_eq!(room.ticks(10), ["here:  (0)"]);
        assert!(room.presence.is_empty());
    }

    #[test]
    fn several_tabs_of_one_name_are_one_person() {
        let mut room = Room::default();
        room.join("ada");
        room.join("ada");
        assert_eq!(room.ticks(4), ["here: ada (1)"]);
        room.leave("ada");
        assert_eq!(room.ticks(20), [""; 0]);
        room.leave("ada");
        assert_eq!(room.ticks(20), ["here:  (0)"]);
    }

    #[test]
    fn a_reload_and_a_glance_are_not_told() {
        let mut room = Room::default();
        room.join("ada");
        assert_eq!(room.ticks(4), ["here: ada (1)"]);
        for _ in 0..10 {
            room.leave("ada");
            assert_eq!(room.ticks(8), [""; 0], "a reload");
            room.join("ada");
            assert_eq!(room.ticks(1), [""; 0]);
            room.join("grace");
            assert_eq!(room.ticks(1), [""; 0], "a glance");
            room.leave("grace");
            assert_eq!(room.ticks(20), [""; 0]);
        }
    }

    #[test]
    fn a_newcomer_is_told_how_it_is_but_not_that_there_is_nobody() {
        let mut room = Room::default();
        room.join("ada");
        room.types("ada");
        room.ticks(2);
        let (first, heard) = room.presence.news(Heard::default()).unwrap();
        let (second, heard) = room.presence.news(heard).unwrap();
        assert_eq!(
            [brief(&first), brief(&second)],
            ["here: ada (1)", "typing: ada"]
        );
        assert_eq!(room.presence.news(heard), None);
        room.leave("ada");
        assert_eq!(room.ticks(20), ["typing: ", "here:  (0)"]);
        assert_eq!(room.presence.news(Heard::default()), None);
    }

    #[test]
    fn typing_ends_by_itself_with_the_message_and_with_leaving() {
        let mut room = Room::default();
        room.types("ada");
        assert_eq!(room.ticks(10), ["typing: ada"]);
        room.types("ada");
        assert_eq!(room.ticks(11), [""; 0], "said again");
        assert_eq!(room.ticks(1), ["typing: "]);
        room.join("ada");
        for name in ["ada", "grace", "alan"] {
            room.types(name);
        }
        assert_eq!(room.ticks(1), ["typing: ada alan grace"]);
        room.presence.wrote(["grace"]);
        room.leave("ada");
        assert_eq!(room.ticks(1), ["typing: alan"]);
        room.types("ada");
        room.presence.wrote(["ada"]);
        assert_eq!(room.ticks(1), [""; 0], "nothing came of it");
        assert_eq!(room.ticks(20), ["typing: "]);
        assert!(room.presence.is_empty());
    }

    #[test]
    fn whatever_happens_between_two_looks_is_one_event_of_a_kind() {
        let mut room = Room::default();
        for n in 0..50 {
            room.join(&format!("{n:02}"));
        }
        room.types("00");
        room.types("01");
        room.ticks(1);
        assert_eq!(room.ticks(1).len(), 1);
        for n in 0..50 {
            room.leave(&format!("{n:02}"));
        }
        assert_eq!(room.ticks(10), ["typing: ", "here:  (0)"]);
    }

    #[test]
    fn what_is_told_and_held_is_bounded() {
        let mut room = Room::default();
        let names: Vec<String> = (0..2 * LINGERING_MAX).map(|n| format!("{n:05}")).collect();
        names.iter().for_each(|name| room.join(name));
        room.ticks(1);
        let told = room.ticks(1);
        assert_eq!(told[0].split(' ').count(), NAMES_MAX + 2);
        assert!(told[0].ends_with(&format!("({})", names.len())));
        names.iter().for_each(|name| room.leave(name));
        assert_eq!(
            (room.presence.lingering(), room.presence.turning.len()),
            (LINGERING_MAX, LINGERING_MAX)
        );
        assert!(room.ticks(1)[0].ends_with(&format!("({LINGERING_MAX})")));
        names.iter().for_each(|name| room.types(name));
        assert_eq!(room.presence.typing.len(), TYPING_MAX);
        assert_eq!(room.ticks(12).last().unwrap(), "typing: ");
        assert!(room.presence.is_empty());
    }

    #[test]
    fn a_clock_that_is_set_back_holds_nobody() {
        let mut room = Room {
            millis: 10_000_000,
            ..Room::default()
        };
        room.join("ada");
        room.types("ada");
        room.millis = 0;
        assert_eq!(room.ticks(13), ["typing: ada", "here: ada (1)", "typing: "]);
    }

    /// The same rules without any economy: every coming and going is kept for ever.
    #[derive(Default)]
    struct Model {
        /// When each name came (+1) or went (-1).
        moves: BTreeMap<String, Vec<(i64, i32)>>,
        announced: BTreeSet<String>,
        typing: BTreeMap<String, i64>,
    }

    impl Model {
        fn connections(&self, name: &str) -> i32 {
            self.moves
                .get(name)
                .map_or(0, |moves| moves.iter().map(|(_, by)| by).sum())
        }

        fn moved(&mut self, name: &str, at: i64, by: i32) {
            self.moves
                .entry(name.to_owned())
                .or_default()
                .push((at, by));
            if self.connections(name) == 0 {
                self.typing.remove(name);
            }
        }

        /// Since when a name has been here, or away.
        fn since(moves: &[(i64, i32)]) -> i64 {
            let (mut count, mut since) = (0, 0);
            for (at, by) in moves {
                if (count == 0) != (count + by == 0) {
                    since = *at;
                }
                count += by;
            }
            since
        }

        fn look(&mut self, now: i64) -> [String; 2] {
            for (name, moves) in &self.moves {
                let for_long = now - Self::since(moves);
                match self.connections(name) {
                    0 if for_long >= 5_000 => self.announced.remove(name),
                    1.. if for_long >= 1_000 => self.announced.insert(name.clone()),
                    _ => false,
                };
            }
            self.typing.retain(|_, end| *end > now);
            let here: Vec<&str> = self.announced.iter().map(String::as_str).collect();
            let typing: Vec<&str> = self.typing.keys().map(String::as_str).collect();
            [
                format!("here: {} ({})", here.join(" "), here.len()),
                format!("typing: {}", typing.join(" ")),
            ]
        }
    }

    fn agrees_with_the_model(seed: u64) {
        let mut random = SmallRng::seed_from_u64(seed);
        let (mut room, mut model) = (Room::default(), Model::default());
        let mut known = ["here:  (0)".to_owned(), "typing: ".to_owned()];
        for _ in 0..600 {
            let name = ["ada", "alan", "barbara", "grace"][random.random_range(0..4)];
            match random.random_range(0..8) {
                0 | 1 if model.connections(name) < 3 => {
                    room.join(name);
                    model.moved(name, room.millis, 1);
                }
                2 | 3 if model.connections(name) > 0 => {
                    room.leave(name);
                    model.moved(name, room.millis, -1);
                }
                4 => {
                    room.types(name);
                    model.typing.insert(name.to_owned(), room.millis + 6_000);
                }
                5 => {
                    room.presence.wrote([name]);
                    model.typing.remove(name);
                }
                _ => {
                    room.millis += random.random_range(0..3_000);
                    let told = room.ticks(1);
                    let expected = model.look(room.millis);
                    let changed: Vec<&String> = expected
                        .iter()
                        .zip(&known)
                        .filter(|(new, old)| new != old)
                        .map(|(new, _)| new)
                        .collect();
                    assert_eq!(told.iter().collect::<Vec<_>>(), changed, "seed {seed}");
                    known = expected;
                }
            }
            let Presence {
                connections,
                announced,
                turning,
                ..
            } = &room.presence;
            let either = connections.keys().filter(|name| !announced.contains(*name));
            let mut either: Vec<_> = either
                .chain(announced.iter().filter(|n| !connections.contains_key(*n)))
                .collect();
            either.sort();
            assert!(either.into_iter().eq(turning.keys()), "seed {seed}");
        }
        for (name, moves) in &model.moves {
            (0..moves.iter().map(|(_, by)| by).sum()).for_each(|_| room.leave(name));
        }
        room.ticks(20);
        assert!(
            room.presence.is_empty() && room.presence.announced.is_empty(),
            "seed {seed}"
        );
    }

    /// `WEBCHAT_SEEDS=100000` runs more.
    #[test]
    fn it_agrees_with_a_simple_model_whatever_people_do() {
        let seeds = std::env::var("WEBCHAT_SEEDS")
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(200);
        (0..seeds).for_each(agrees_with_the_model);
    }
}
