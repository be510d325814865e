//! Reads the modules of a crate and the paths that each of them names.
//!
//! # Guarantees
//! Every path that begins with `crate`, `super` or `self` is found, in `use` items, in expressions and
//! inside macros. A path through a re-export counts as a path to the module that defines the item.
//! Code under `#[cfg(test)]` does not count.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Item, UseTree, Visibility};

/// The names of a module from the crate's root; empty for the root itself.
pub type ModulePath = Vec<String>;

/// One source file.
#[derive(Debug, Default)]
pub struct Module {
    /// The file, relative to the crate's `src`.
    pub file: String,
    /// Paths inside the crate that the file names, absolute, with the item at the end.
    paths: BTreeSet<Vec<String>>,
    /// What the file imports by name, and the absolute path behind it.
    imports: BTreeMap<String, Vec<String>>,
    /// Those imports that are visible to other files: its re-exports.
    exports: BTreeMap<String, Vec<String>>,
    /// Names of other crates (or of local modules) that begin a path.
    pub roots: BTreeSet<String>,
}

/// The modules of a crate.
#[derive(Debug, Default)]
pub struct Crate {
    pub modules: BTreeMap<ModulePath, Module>,
    /// The files that are compiled for tests alone.
    test_modules: Vec<ModulePath>,
}

impl Crate {
    /// Reads all files below `src`, except the root of a binary.
    pub fn read(src: &Path) -> Self {
        let mut found = Self::default();
        for file in rust_files(src) {
            let name = file.strip_prefix(src).unwrap().to_str().unwrap();
            if name != "main.rs" {
                found.add(name, &std::fs::read_to_string(&file).unwrap());
            }
        }
        let tests = std::mem::take(&mut found.test_modules);
        let is_product = |path: &ModulePath| !tests.iter().any(|test| path.starts_with(test));
        found.modules.retain(|path, _| is_product(path));
        found
    }

    /// Adds a file with this name relative to `src`.
    pub fn add(&mut self, file: &str, source: &str) {
        let path = module_path(file);
        let parsed = syn::parse_file(source).unwrap_or_else(|error| panic!("{file}: {error}"));
        let mut module = Module {
            file: file.to_owned(),
            ..Module::default()
        };
        for item in parsed.items.iter().filter(|item| is_test(item)) {
            if let Item::Mod(test) = item {
                let mut test_module = path.clone();
                test_module.push(test.ident.to_string());
                self.test_modules.push(test_module);
            }
        }
        let items: Vec<&Item> = parsed.items.iter().filter(|item| !is_test(item)).collect();
        for item in &items {
            if let Item::Use(import) = item {
                note_imports(&path, &import.tree, &mut Vec::new(), &mut module.imports);
                if !matches!(import.vis, Visibility::Inherited) {
                    note_imports(&path, &import.tree, &mut Vec::new(), &mut module.exports);
                }
            }
        }
        for item in items {
            read_tokens(item.to_token_stream(), &path, &mut module);
        }
        self.modules.insert(path, module);
    }

    /// The modules that a module imports from, each with one path that shows it. Its ancestors and
    /// descendants are not among them.
    pub fn imports(&self, from: &ModulePath) -> BTreeMap<ModulePath, String> {
        let mut imports = BTreeMap::new();
        for path in &self.modules[from].paths {
            let target = self.defining_module(path);
            if !target.starts_with(from) && !from.starts_with(&target) {
                imports
                    .entry(target)
                    .or_insert_with(|| format!("crate::{}", path.join("::")));
            }
        }
        imports
    }

    /// The module that defines what a path names, behind all re-exports.
    fn defining_module(&self, path: &[String]) -> ModulePath {
        let mut length = path.len();
        while !self.modules.contains_key(&path[..length]) {
            length -= 1;
        }
        let module = path[..length].to_vec();
        let item = path.get(length);
        match item.and_then(|item| self.modules[&module].exports.get(item)) {
            Some(behind) if behind != path => self.defining_module(behind),
            _ => module,
        }
    }
}

/// All `.rs` files below a folder, sorted.
pub fn rust_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn module_path(file: &str) -> ModulePath {
    let names = file.trim_end_matches(".rs").split('/').map(str::to_owned);
    let mut path: ModulePath = names.collect();
    if path
        .last()
        .is_some_and(|last| last == "mod" || last == "lib")
    {
        path.pop();
    }
    path
}

/// Whether an item is compiled for tests alone.
fn is_test(item: &Item) -> bool {
    let attributes: &[Attribute] = match item {
        Item::Mod(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Const(item) => &item.attrs,
        _ => &[],
    };
    attributes.iter().any(|attribute| {
        let text = attribute.to_token_stream().to_string();
        text.starts_with("# [cfg (test") || text.starts_with("# [test")
    })
}

/// Notes which names a `use` brings into a module, and what is behind them.
fn note_imports(
    module: &[String],
    tree: &UseTree,
    prefix: &mut Vec<String>,
    imports: &mut BTreeMap<String, Vec<String>>,
) {
    match tree {
        UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            note_imports(module, &path.tree, prefix, imports);
            prefix.pop();
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                note_imports(module, tree, prefix, imports);
            }
        }
        UseTree::Name(_) | UseTree::Rename(_) => {
            let (item, name) = match tree {
                UseTree::Rename(rename) => (&rename.ident, &rename.rename),
                UseTree::Name(name) => (&name.ident, &name.ident),
                _ => return,
            };
            let name = name.to_string();
            if item != "self" {
                prefix.push(item.to_string());
            }
            // A path without a keyword begins at a child module, or in another crate.
            let path = absolute(module, prefix).unwrap_or_else(|| [module, prefix].concat());
            let name = if name == "self" {
                path.last().cloned().unwrap_or_default()
            } else {
                name
            };
            imports.insert(name, path);
            if item != "self" {
                prefix.pop();
            }
        }
        UseTree::Glob(_) => {}
    }
}

/// The absolute path inside the crate, if this one begins with a keyword that says so.
fn absolute(module: &[String], path: &[String]) -> Option<Vec<String>> {
    let mut base = module.to_vec();
    let mut rest = path;
    match rest.first()?.as_str() {
        "crate" => base.clear(),
        "self" => {}
        "super" => {
            base.pop();
        }
        _ => return None,
    }
    rest = &rest[1..];
    while rest.first().is_some_and(|name| name == "super") {
        base.pop();
        rest = &rest[1..];
    }
    Some([&base, rest].concat())
}

fn read_tokens(tokens: TokenStream, module: &[String], found: &mut Module) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Ident(first) if !follows_colons(&tokens, at) => {
                let path = vec![first.to_string()];
                at = read_path(&tokens, at + 1, path, module, found);
            }
            TokenTree::Group(group) => {
                read_tokens(group.stream(), module, found);
                at += 1;
            }
            _ => at += 1,
        }
    }
}

/// Reads on after the first names of a path, into the groups of a `use`; returns where it ends.
fn read_path(
    tokens: &[TokenTree],
    mut at: usize,
    mut path: Vec<String>,
    module: &[String],
    found: &mut Module,
) -> usize {
    while is_colons(tokens, at) {
        match tokens.get(at + 2) {
            Some(TokenTree::Ident(name)) => path.push(name.to_string()),
            Some(TokenTree::Group(group)) => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                for part in inner.split(|token| is_punct(Some(token), ',')) {
                    if let Some(TokenTree::Ident(name)) = part.first() {
                        let mut longer = path.clone();
                        if name != "self" {
                            longer.push(name.to_string());
                        }
                        read_path(part, 1, longer, module, found);
                    }
                }
                return at + 3;
            }
            _ => break,
        }
        at += 3;
    }
    if path.len() > 1 {
        if let Some(path) = absolute(module, &path) {
            found.paths.insert(path);
        } else if let Some(behind) = found.imports.get(&path[0]) {
            found.paths.insert([behind, &path[1..]].concat());
            found.roots.insert(path.swap_remove(0));
        } else {
            found.roots.insert(path.swap_remove(0));
        }
    }
    at
}

fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    is_punct(tokens.get(at), ':') && is_punct(tokens.get(at + 1), ':')
}

fn follows_colons(tokens: &[TokenTree], at: usize) -> bool {
    at >= 2 && is_colons(tokens, at - 2)
}

fn is_punct(token: Option<&TokenTree>, mark: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == mark)
}
