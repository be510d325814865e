//! Finds an import cycle.

use std::collections::BTreeMap;

use crate::source::{Crate, ModulePath};

/// One import that crosses from one entry of a folder to another.
#[derive(Clone, Debug)]
pub struct Edge {
    from: String,
    to: String,
    /// The files and the path that make it.
    because: String,
}

/// Every cycle between the entries of one folder, in every folder of a crate: one line each with the
/// imports that close it. The file of the folder itself (`mod.rs`, `lib.rs`) is above its entries and
/// no part of a cycle.
///
/// Files cannot form a cycle without one of these: two files of a cycle lie in different entries of
/// some folder.
pub fn cycles(name: &str, krate: &Crate) -> Vec<String> {
    let mut folders: BTreeMap<ModulePath, Vec<Edge>> = BTreeMap::new();
    for (from, module) in &krate.modules {
        for (to, path) in krate.imports(from) {
            let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
            let edge = Edge {
                from: from[common].clone(),
                to: to[common].clone(),
                because: format!("{} imports {path}", module.file),
            };
            folders
                .entry(from[..common].to_vec())
                .or_default()
                .push(edge);
        }
    }
    let describe = |(folder, edges): (ModulePath, Vec<Edge>)| {
        let cycle = shortest_cycle(&edges)?;
        let steps: Vec<String> = cycle
            .iter()
            .map(|edge| format!("    {} -> {}: {}", edge.from, edge.to, edge.because))
            .collect();
        let place = [&[name.to_owned()], &folder[..]].concat().join("/");
        Some(format!(
            "cycle between entries of {place}:\n{}",
            steps.join("\n")
        ))
    };
    folders.into_iter().filter_map(describe).collect()
}

/// The shortest way from an entry back to itself.
fn shortest_cycle(edges: &[Edge]) -> Option<Vec<Edge>> {
    let cycles = edges.iter().filter_map(|first| {
        let mut back = way(edges, &first.to, &first.from)?;
        back.insert(0, first.clone());
        Some(back)
    });
    cycles.min_by_key(Vec::len)
}

/// A shortest way along the edges, by breadth-first search.
fn way(edges: &[Edge], from: &str, to: &str) -> Option<Vec<Edge>> {
    let mut reached: BTreeMap<&str, Vec<Edge>> = BTreeMap::from([(from, Vec::new())]);
    let mut border = vec![from];
    while !reached.contains_key(to) && !border.is_empty() {
        let mut next = Vec::new();
        for edge in edges {
            if border.contains(&&*edge.from) && !reached.contains_key(&*edge.to) {
                let mut way = reached[&*edge.from].clone();
                way.push(edge.clone());
                reached.insert(&edge.to, way);
                next.push(&*edge.to);
            }
        }
        border = next;
    }
    reached.remove(to)
}
