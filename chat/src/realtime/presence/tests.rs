//! Tests of presence, also against a simple model.

use std::collections::BTreeMap;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use super::*;

/// A room, a clock, and one follower.
#[derive(Default)]
struct Room {
    presence: Presence,
    millis: i64,
    delivered: DeliveredVersions,
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

    fn start_typing(&mut self, name: &str) {
        self.presence.start_typing(name.into(), self.now());
    }

    /// Lets so many ticks of half a second pass. Returns the delivered events.
    fn tick(&mut self, ticks: usize) -> Vec<String> {
        let mut events = Vec::new();
        for _ in 0..ticks {
            self.millis += 500;
            self.presence.update(RoomId::from_bytes([1; 8]), self.now());
            while let Some((event, delivered)) = self.presence.next_event(self.delivered) {
                self.delivered = delivered;
                events.push(summarize(&event));
            }
        }
        events
    }
}

/// A summary of an event: `here: ada grace (2)`, `typing: ada`.
fn summarize(event: &Ephemeral) -> String {
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
        EventName::Presence => format!("here: {} ({})", names("here"), data["count"]),
        EventName::Typing => format!("typing: {}", names("usernames")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn arrival_is_announced_after_one_second_and_departure_after_five() {
    let mut room = Room::default();
    room.join("grace");
    room.join("ada");
    assert_eq!(room.tick(1), [""; 0]);
    assert_eq!(room.tick(1), ["here: ada grace (2)"]);
    room.leave("ada");
    assert_eq!(room.tick(9), [""; 0]);
    assert_eq!(room.tick(1), ["here: grace (1)"]);
    room.leave("grace");
    assert_eq!(room.tick(10), ["here:  (0)"]);
    assert!(room.presence.is_empty());
}

#[test]
fn several_connections_of_one_name_count_once() {
    let mut room = Room::default();
    room.join("ada");
    room.join("ada");
    assert_eq!(room.tick(4), ["here: ada (1)"]);
    room.leave("ada");
    assert_eq!(room.tick(20), [""; 0]);
    room.leave("ada");
    assert_eq!(room.tick(20), ["here:  (0)"]);
}

#[test]
fn reload_and_short_visit_are_not_announced() {
    let mut room = Room::default();
    room.join("ada");
    assert_eq!(room.tick(4), ["here: ada (1)"]);
    for _ in 0..10 {
        room.leave("ada");
        assert_eq!(room.tick(8), [""; 0], "a reload");
        room.join("ada");
        assert_eq!(room.tick(1), [""; 0]);
        room.join("grace");
        assert_eq!(room.tick(1), [""; 0], "a short visit");
        room.leave("grace");
        assert_eq!(room.tick(20), [""; 0]);
    }
}

#[test]
fn new_follower_receives_the_state_unless_it_is_empty() {
    let mut room = Room::default();
    room.join("ada");
    room.start_typing("ada");
    room.tick(2);
    let (first, delivered) = room
        .presence
        .next_event(DeliveredVersions::default())
        .unwrap();
    let (second, delivered) = room.presence.next_event(delivered).unwrap();
    assert_eq!(
        [summarize(&first), summarize(&second)],
        ["here: ada (1)", "typing: ada"]
    );
    assert_eq!(room.presence.next_event(delivered), None);
    room.leave("ada");
    assert_eq!(room.tick(20), ["typing: ", "here:  (0)"]);
    assert_eq!(room.presence.next_event(DeliveredVersions::default()), None);
}

#[test]
fn typing_ends_after_its_timeout_with_the_message_and_on_leaving() {
    let mut room = Room::default();
    room.start_typing("ada");
    assert_eq!(room.tick(10), ["typing: ada"]);
    room.start_typing("ada");
    assert_eq!(room.tick(11), [""; 0], "typing was repeated");
    assert_eq!(room.tick(1), ["typing: "]);
    room.join("ada");
    for name in ["ada", "grace", "alan"] {
        room.start_typing(name);
    }
    assert_eq!(room.tick(1), ["typing: ada alan grace"]);
    room.presence.clear_typing(["grace"]);
    room.leave("ada");
    assert_eq!(room.tick(1), ["typing: alan"]);
    room.start_typing("ada");
    room.presence.clear_typing(["ada"]);
    assert_eq!(room.tick(1), [""; 0], "the state is the same as before");
    assert_eq!(room.tick(20), ["typing: "]);
    assert!(room.presence.is_empty());
}

#[test]
fn changes_between_two_updates_make_one_event_per_kind() {
    let mut room = Room::default();
    for n in 0..50 {
        room.join(&format!("{n:02}"));
    }
    room.start_typing("00");
    room.start_typing("01");
    room.tick(1);
    assert_eq!(room.tick(1).len(), 1);
    for n in 0..50 {
        room.leave(&format!("{n:02}"));
    }
    assert_eq!(room.tick(10), ["typing: ", "here:  (0)"]);
}

#[test]
fn events_and_memory_are_bounded() {
    let mut room = Room::default();
    let names: Vec<String> = (0..2 * LINGERING_MAX).map(|n| format!("{n:05}")).collect();
    names.iter().for_each(|name| room.join(name));
    room.tick(1);
    let events = room.tick(1);
    assert_eq!(events[0].split(' ').count(), NAMES_MAX + 2);
    assert!(events[0].ends_with(&format!("({})", names.len())));
    names.iter().for_each(|name| room.leave(name));
    assert_eq!(
        (room.presence.count_lingering(), room.presence.waiting.len()),
        (LINGERING_MAX, LINGERING_MAX)
    );
    assert!(room.tick(1)[0].ends_with(&format!("({LINGERING_MAX})")));
    names.iter().for_each(|name| room.start_typing(name));
    assert_eq!(room.presence.typing.len(), TYPING_MAX);
    assert_eq!(room.tick(12).last().unwrap(), "typing: ");
    assert!(room.presence.is_empty());
}

#[test]
fn clock_that_is_set_back_delays_no_event() {
    let mut room = Room {
        millis: 10_000_000,
        ..Room::default()
    };
    room.join("ada");
    room.start_typing("ada");
    room.millis = 0;
    assert_eq!(room.tick(13), ["typing: ada", "here: ada (1)", "typing: "]);
}

/// The same rules in their simplest form, which stores every arrival and departure.
#[derive(Default)]
struct Model {
    /// When a connection of each name began (+1) or ended (-1).
    changes: BTreeMap<String, Vec<(i64, i32)>>,
    announced: BTreeSet<String>,
    typing: BTreeMap<String, i64>,
}

impl Model {
    fn connections(&self, name: &str) -> i32 {
        self.changes
            .get(name)
            .map_or(0, |changes| changes.iter().map(|(_, by)| by).sum())
    }

    fn change(&mut self, name: &str, at: i64, by: i32) {
        self.changes
            .entry(name.to_owned())
            .or_default()
            .push((at, by));
        if self.connections(name) == 0 {
            self.typing.remove(name);
        }
    }

    /// Since when a name has been present, or absent.
    fn since(changes: &[(i64, i32)]) -> i64 {
        let mut count = 0;
        let mut since = 0;
        for (at, by) in changes {
            if (count == 0) != (count + by == 0) {
                since = *at;
            }
            count += by;
        }
        since
    }

    fn update(&mut self, now: i64) -> [String; 2] {
        for (name, changes) in &self.changes {
            let duration = now - Self::since(changes);
            match self.connections(name) {
                0 if duration >= 5_000 => self.announced.remove(name),
                1.. if duration >= 1_000 => self.announced.insert(name.clone()),
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

fn check_against_the_model(seed: u64) {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut room = Room::default();
    let mut model = Model::default();
    let mut known = ["here:  (0)".to_owned(), "typing: ".to_owned()];
    for _ in 0..600 {
        let name = ["ada", "alan", "barbara", "grace"][random.random_range(0..4)];
        match random.random_range(0..8) {
            0 | 1 if model.connections(name) < 3 => {
                room.join(name);
                model.change(name, room.millis, 1);
            }
            2 | 3 if model.connections(name) > 0 => {
                room.leave(name);
                model.change(name, room.millis, -1);
            }
            4 => {
                room.start_typing(name);
                model.typing.insert(name.to_owned(), room.millis + 6_000);
            }
            5 => {
                room.presence.clear_typing([name]);
                model.typing.remove(name);
            }
            _ => {
                room.millis += random.random_range(0..3_000);
                let events = room.tick(1);
                let expected = model.update(room.millis);
                let changed: Vec<&String> = expected
                    .iter()
                    .zip(&known)
                    .filter(|(new, old)| new != old)
                    .map(|(new, _)| new)
                    .collect();
                assert_eq!(events.iter().collect::<Vec<_>>(), changed, "seed {seed}");
                known = expected;
            }
        }
        let Presence {
            connections,
            announced,
            waiting,
            ..
        } = &room.presence;
        let unannounced = connections.keys().filter(|name| !announced.contains(*name));
        let mut expected: Vec<_> = unannounced
            .chain(announced.iter().filter(|n| !connections.contains_key(*n)))
            .collect();
        expected.sort();
        assert!(expected.into_iter().eq(waiting.keys()), "seed {seed}");
    }
    for (name, changes) in &model.changes {
        (0..changes.iter().map(|(_, by)| by).sum()).for_each(|_| room.leave(name));
    }
    room.tick(20);
    assert!(
        room.presence.is_empty() && room.presence.announced.is_empty(),
        "seed {seed}"
    );
}

/// `WEBCHAT_SEEDS=100000` runs more seeds.
#[test]
fn random_actions_agree_with_a_simple_model() {
    let seeds = std::env::var("WEBCHAT_SEEDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(200);
    (0..seeds).for_each(check_against_the_model);
}
