//! How many uploads one person, or one client without a key, and all together may have under way.
//!
//! # Guarantees
//! - The place of an upload is free again however the upload ends.
//! - People without uploads take no memory.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chat::Person;
use protocol::Refusal;

use crate::config::types::Switch;
use crate::limit::client_of;

/// The most uploads of a person.
const BY_PERSON: usize = 3;

/// The most uploads of all people together.
const ALL: usize = 64;

/// Who uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Uploader {
    Person(i64),
    Client(Option<IpAddr>),
}

/// The places for the uploads of all people. It is cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct UploadPlaces {
    by_person: usize,
    taken: Arc<Mutex<HashMap<Uploader, usize>>>,
}

impl UploadPlaces {
    /// With the switch off, one person may take all places.
    pub fn new(switch: Switch) -> Self {
        Self {
            by_person: match switch {
                Switch::On => BY_PERSON,
                Switch::Off => ALL,
            },
            taken: Arc::default(),
        }
    }

    /// Takes a place for an upload.
    ///
    /// # Errors
    /// [`Refusal::TooManyUploads`] if the person has none left, or all are taken.
    pub fn enter(&self, address: Option<IpAddr>, by: &Person) -> Result<UploadPlace, Refusal> {
        let client = || Uploader::Client(address.map(client_of));
        let uploader = by.stable_id().map_or_else(client, Uploader::Person);
        let mut taken = lock(&self.taken);
        let of_all: usize = taken.values().sum();
        let own = taken.get(&uploader).copied().unwrap_or_default();
        if own >= self.by_person || of_all >= ALL {
            return Err(Refusal::TooManyUploads);
        }
        taken.insert(uploader, own + 1);
        Ok(UploadPlace {
            taken: self.taken.clone(),
            uploader,
        })
    }
}

// Held to count, never across an await.
fn lock(taken: &Mutex<HashMap<Uploader, usize>>) -> MutexGuard<'_, HashMap<Uploader, usize>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The place of an upload, which is free again when it is dropped.
#[derive(Debug)]
pub(crate) struct UploadPlace {
    taken: Arc<Mutex<HashMap<Uploader, usize>>>,
    uploader: Uploader,
}

impl Drop for UploadPlace {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        if let Some(count) = taken.get_mut(&self.uploader) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.uploader);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_has_three_uploads_at_once_and_all_clients_have_sixty_four() {
        let places = UploadPlaces::new(Switch::On);
        let enter = |n: usize| {
            let address = format!("192.0.2.{n}").parse().ok();
            places.enter(address, &Person::Anonymous)
        };
        let mut own: Vec<_> = (0..BY_PERSON).map(|_| enter(1).unwrap()).collect();
        assert!(matches!(enter(1), Err(Refusal::TooManyUploads)));
        own.pop();
        own.push(enter(1).unwrap());
        let others: Vec<_> = (2..200).map_while(|n| enter(n).ok()).collect();
        assert_eq!(own.len() + others.len(), ALL);
        drop((own, others));
        assert!(lock(&places.taken).is_empty());
    }
}
