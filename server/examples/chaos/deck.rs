//! A deck of cards: all are drawn in random order before one comes again.

use rand::rngs::SmallRng;
use rand::seq::SliceRandom;

pub struct Deck<T> {
    all: Vec<T>,
    left: Vec<T>,
}

impl<T: Copy> Deck<T> {
    pub fn new(all: Vec<T>) -> Self {
        let left = Vec::new();
        Self { all, left }
    }

    pub fn draw(&mut self, random: &mut SmallRng) -> Option<T> {
        if self.left.is_empty() {
            self.left.clone_from(&self.all);
            self.left.shuffle(random);
        }
        self.left.pop()
    }

    /// Puts a card back, which comes next.
    pub fn put_back(&mut self, card: T) {
        self.left.push(card);
    }
}
