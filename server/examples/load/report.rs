//! The table of results.

use std::collections::BTreeMap;

use crate::cases::{Case, Figures};
use crate::servers::Kind;

/// The figures of all rounds.
#[derive(Debug, Default)]
pub struct Results {
    /// By case and figure: for each server one value a round.
    rows: BTreeMap<(Case, usize), Row>,
}

#[derive(Debug, Default)]
struct Row {
    name: &'static str,
    webchat: Vec<f64>,
    nchan: Vec<f64>,
}

impl Results {
    pub fn add(&mut self, case: Case, kind: Kind, figures: Figures) {
        for (place, (name, value)) in figures.into_iter().enumerate() {
            eprintln!("    {name}: {}", format_number(value));
            let row = self.rows.entry((case, place)).or_default();
            row.name = name;
            match kind {
                Kind::Webchat => row.webchat.push(value),
                Kind::Nchan => row.nchan.push(value),
            }
        }
    }

    /// Prints the medians of the rounds, and the medians of their ratios.
    pub fn print(&self) {
        println!(
            "| case | figure | webchat | nchan | webchat / nchan |\n| --- | --- | ---: | ---: | ---: |"
        );
        for ((case, _), row) in &self.rows {
            let ratios = row
                .webchat
                .iter()
                .zip(&row.nchan)
                .map(|(ours, theirs)| ours / theirs)
                .collect();
            let ours = format_number(median(row.webchat.clone()));
            let theirs = format_number(median(row.nchan.clone()));
            println!(
                "| {} | {} | {ours} | {theirs} | {:.2} |",
                case.name(),
                row.name,
                median(ratios)
            );
        }
    }
}

/// The median; NaN without values.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A percentile, in milliseconds, of ascending values in microseconds.
pub fn percentile(micros: &[u32], percent: usize) -> f64 {
    f64::from(micros[(micros.len() - 1) * percent / 100]) / 1e3
}

/// Formats a number with its significant digits.
fn format_number(value: f64) -> String {
    if value < 100.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.0}")
    }
}
