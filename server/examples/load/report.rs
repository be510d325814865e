//! The table of results.

use crate::Options;
use crate::cases::Figures;

/// The figures of all rounds of two sides, which run by turns.
#[derive(Debug)]
pub struct Results {
    sides: [&'static str; 2],
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    case: &'static str,
    figure: &'static str,
    /// For each side one value a round.
    values: [Vec<f64>; 2],
}

impl Results {
    pub fn new(sides: [&'static str; 2]) -> Self {
        let rows = Vec::new();
        Self { sides, rows }
    }

    /// Adds what a case has measured of a side.
    pub fn add(&mut self, case: &'static str, side: usize, figures: Figures) {
        for (figure, value) in figures {
            eprintln!("    {figure}: {}", format_number(value));
            let mut rows = self.rows.iter();
            let known = rows.position(|row| row.case == case && row.figure == figure);
            let row = known.unwrap_or_else(|| {
                let values = Default::default();
                self.rows.push(Row {
                    case,
                    figure,
                    values,
                });
                self.rows.len() - 1
            });
            self.rows[row].values[side].push(value);
        }
    }

    /// Prints the medians of the rounds, and the medians of their ratios.
    pub fn print(&self) {
        if self.rows.is_empty() {
            return;
        }
        let [first, second] = self.sides;
        println!(
            "| case | figure | {first} | {second} | {first} / {second} |\n| --- | --- | ---: | ---: | ---: |"
        );
        for Row {
            case,
            figure,
            values: [first, second],
        } in &self.rows
        {
            let ratios = first.iter().zip(second).map(|(one, other)| one / other);
            println!(
                "| {case} | {figure} | {} | {} | {:.2} |",
                format_number(median(first.clone())),
                format_number(median(second.clone())),
                median(ratios.collect())
            );
        }
    }
}

/// The cases that were asked for, in each of the rounds.
pub fn rounds<T: Copy>(
    options: &Options,
    cases: &[(&'static str, T)],
) -> impl Iterator<Item = (&'static str, T)> {
    let asked = cases
        .iter()
        .filter(|(name, _)| name.contains(&options.only));
    let asked: Vec<_> = asked.copied().collect();
    (1..=options.rounds).flat_map(move |round| {
        let asked = asked.clone().into_iter();
        asked.inspect(move |(name, _)| eprintln!("round {round}: {name}"))
    })
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
pub fn format_number(value: f64) -> String {
    if value < 100.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.0}")
    }
}
