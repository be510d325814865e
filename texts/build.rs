//! Compiles the catalogues in `locales/` into tables, and fails if they do not agree.
//!
//! A catalogue is a JSON object of groups. A group is an object of texts. `{name}` in a text is a
//! placeholder. A text that depends on a number has one key per plural category of the language:
//! `waiting_one`, `waiting_other`.
//!
//! # Guarantees
//! Every catalogue has the texts of the English one, with the same placeholders, and all plural
//! categories of its language.

#[path = "src/category.rs"]
mod category;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::{env, fs, path::Path};

use icu_plurals::{PluralCategory, PluralRuleType, PluralRules};

use category::name_of;

/// The group that the browser gets.
const BROWSER_GROUP: &str = "app";
/// The language that has all texts.
const SOURCE: &str = "en";
/// A language to test the layout with: accents, longer texts, from right to left.
const PSEUDO: &str = "en-XA";
/// The placeholder for the number that chooses the plural form.
const COUNT: &str = "count";

type Result<T> = std::result::Result<T, Box<dyn Error>>;
/// The texts of one catalogue by group and key.
type Catalogue = BTreeMap<(String, String), Entry>;

/// A text, or the plural forms of a text by category.
#[derive(Clone)]
enum Entry {
    One(String),
    Plural(BTreeMap<String, String>),
}

fn main() -> Result<()> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../locales");
    println!("cargo::rerun-if-changed={}", folder.display());
    let source = read(&folder.join(format!("{SOURCE}.json")))?;
    let mut tags = vec![SOURCE.to_owned()];
    let mut catalogues = vec![source.clone()];
    let mut names: Vec<_> = fs::read_dir(&folder)?.collect::<std::result::Result<_, _>>()?;
    names.sort_by_key(fs::DirEntry::file_name);
    for file in names {
        println!("cargo::rerun-if-changed={}", file.path().display());
        let name = file
            .file_name()
            .into_string()
            .map_err(|_| "a name in locales is no UTF-8")?;
        let tag = name
            .strip_suffix(".json")
            .ok_or(format!("{name} is no catalogue"))?;
        if tag != SOURCE {
            tags.push(tag.to_owned());
            catalogues.push(read(&file.path())?);
        }
    }
    for (tag, catalogue) in tags.iter().zip(&catalogues) {
        check(tag, catalogue, &source).map_err(|error| format!("locales/{tag}.json: {error}"))?;
    }
    let out = Path::new(&env::var("OUT_DIR")?).to_owned();
    let keys = [keys(&source)?, language_names(&tags, &catalogues)?].concat();
    fs::write(out.join("keys.rs"), keys)?;

    tags.push(PSEUDO.to_owned());
    catalogues.push(pseudo(&source));
    fs::write(out.join("tables.rs"), tables(&tags, &catalogues)?)?;
    Ok(())
}

fn read(path: &Path) -> Result<Catalogue> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let groups: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut catalogue = Catalogue::new();
    for (group, texts) in groups {
        for (key, text) in texts {
            if text.contains('\n') || text.contains('\0') {
                return Err(format!("{group}.{key} has a line break").into());
            }
            let Some((stem, category)) = plural_key(&key) else {
                catalogue.insert((group.clone(), key), Entry::One(text));
                continue;
            };
            let entry = catalogue
                .entry((group.clone(), stem.to_owned()))
                .or_insert(Entry::Plural(BTreeMap::new()));
            let Entry::Plural(forms) = entry else {
                return Err(format!("{group}.{stem} has plural forms and none").into());
            };
            forms.insert(category.to_owned(), text);
        }
    }
    Ok(catalogue)
}

/// The key without its plural category, and that.
fn plural_key(key: &str) -> Option<(&str, &str)> {
    let (stem, category) = key.rsplit_once('_')?;
    let is_category = PluralCategory::all().any(|known| name_of(known) == category);
    is_category.then_some((stem, category))
}

/// The plural categories of a language, in the order in which forms are stored.
fn categories(tag: &str) -> Result<Vec<&'static str>> {
    let locale: icu_locale_core::Locale = tag.parse()?;
    let rules = PluralRules::try_new(locale.into(), PluralRuleType::Cardinal.into())?;
    Ok(rules.categories().map(name_of).collect())
}

fn check(tag: &str, catalogue: &Catalogue, source: &Catalogue) -> Result<()> {
    let categories: BTreeSet<_> = categories(tag)?.into_iter().collect();
    for ((group, key), wanted) in source {
        let Some(entry) = catalogue.get(&(group.clone(), key.clone())) else {
            return Err(format!("{group}.{key} is missing").into());
        };
        if matches!(entry, Entry::Plural(_)) != matches!(wanted, Entry::Plural(_)) {
            return Err(format!("{group}.{key} has plural forms in one language only").into());
        }
        let wanted = placeholders(wanted);
        let forms: Vec<&String> = match entry {
            Entry::One(text) => vec![text],
            Entry::Plural(forms) => {
                let has: BTreeSet<_> = forms.keys().map(String::as_str).collect();
                if has != categories {
                    return Err(format!("{group}.{key} has {has:?}, not {categories:?}").into());
                }
                forms.values().collect()
            }
        };
        for form in forms {
            // A form for one thing may leave the number out.
            let has = slots(form);
            if let Some(name) = has.iter().find(|name| !wanted.contains(name)) {
                return Err(format!("{group}.{key} has an unknown placeholder {{{name}}}").into());
            }
            let is_plural = matches!(entry, Entry::Plural(_));
            let is_lost = |name: &&String| !(has.contains(name) || is_plural && *name == COUNT);
            let lost = wanted.iter().find(is_lost);
            if let Some(name) = lost {
                return Err(format!("{group}.{key} lacks the placeholder {{{name}}}").into());
            }
        }
    }
    match catalogue.keys().find(|key| !source.contains_key(key)) {
        Some((group, key)) => Err(format!("{group}.{key} is unknown").into()),
        None => Ok(()),
    }
}

/// The placeholders of an entry in their order; the number of a plural is the first.
fn placeholders(entry: &Entry) -> Vec<String> {
    match entry {
        Entry::One(text) => slots(text),
        Entry::Plural(forms) => {
            let mut names = vec![COUNT.to_owned()];
            for name in forms.values().flat_map(|form| slots(form)) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            names
        }
    }
}

/// The names of the placeholders of a text, each once.
fn slots(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for part in text.split('{').skip(1) {
        let name = part.split('}').next().unwrap_or_default().to_owned();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The keys of the browser's texts come first, so that both sides count alike.
fn ordered(catalogue: &Catalogue) -> Vec<&(String, String)> {
    let (browser, server): (Vec<_>, Vec<_>) = catalogue
        .keys()
        .partition(|(group, _)| group == BROWSER_GROUP);
    [browser, server].concat()
}

/// A constant per text, in a module per group.
fn keys(source: &Catalogue) -> Result<String> {
    let mut modules: BTreeMap<&str, String> = BTreeMap::new();
    let mut browser_count = 0;
    for (index, place) in ordered(source).into_iter().enumerate() {
        let (group, key) = place;
        browser_count += usize::from(group == BROWSER_GROUP);
        let entry = &source[place];
        let slots = placeholders(entry);
        let (text, kind) = match entry {
            Entry::One(text) if slots.is_empty() => (text, "Text".to_owned()),
            Entry::One(text) => (text, format!("Template<{}>", slots.len())),
            Entry::Plural(forms) => (&forms["other"], format!("Plural<{}>", slots.len() - 1)),
        };
        let value = kind.split('<').next().unwrap_or_default();
        let module = modules.entry(group).or_default();
        writeln!(module, "    #[doc = {:?}]", format!("`{text}`"))?;
        writeln!(
            module,
            "    pub const {}: super::{kind} = super::{value}({index});",
            key.to_uppercase()
        )?;
    }
    let mut code = format!(
        "/// How many texts the browser gets.\npub const BROWSER_TEXTS: usize = {browser_count};\n"
    );
    for (group, constants) in modules {
        writeln!(
            code,
            "/// The texts of the group `{group}`.\npub mod {group} {{\n{constants}}}"
        )?;
    }
    Ok(code)
}

/// The languages that people use, each with its own name.
fn language_names(tags: &[String], catalogues: &[Catalogue]) -> Result<String> {
    let place = ("names".to_owned(), "language".to_owned());
    let mut names = Vec::new();
    for (tag, catalogue) in tags.iter().zip(catalogues) {
        let Some(Entry::One(name)) = catalogue.get(&place) else {
            return Err(format!("locales/{tag}.json: names.language is missing").into());
        };
        names.push((tag, name));
    }
    let count = names.len();
    Ok(format!(
        "/// The tags of the languages that people use, each with its own name.\n\
         pub const LANGUAGES: [(&str, &str); {count}] = {names:?};\n"
    ))
}

/// The texts of all languages, for the server.
fn tables(tags: &[String], catalogues: &[Catalogue]) -> Result<String> {
    let mut code = String::from("static TABLES: &[Table] = &[\n");
    for (tag, catalogue) in tags.iter().zip(catalogues) {
        let categories = categories(tag)?;
        let source = &catalogues[0];
        let texts: Result<Vec<String>> = ordered(source)
            .into_iter()
            .map(|place| stored(&catalogue[place], &source[place], &categories))
            .collect();
        let direction = if tag == PSEUDO { "rtl" } else { "ltr" };
        writeln!(
            code,
            "Table {{ tag: {tag:?}, direction: {direction:?}, categories: &{categories:?}, texts: &{:?} }},",
            texts?
        )?;
    }
    code.push_str("];\n");
    Ok(code)
}

/// A text as it is stored: placeholders as numbers, plural forms on a line each.
fn stored(entry: &Entry, source: &Entry, categories: &[&str]) -> Result<String> {
    let names = placeholders(source);
    let number = |text: &str| {
        names
            .iter()
            .enumerate()
            .fold(text.to_owned(), |text, (index, name)| {
                text.replace(&format!("{{{name}}}"), &format!("{{{index}}}"))
            })
    };
    Ok(match entry {
        Entry::One(text) => number(text),
        Entry::Plural(forms) => {
            let lines: Vec<_> = categories
                .iter()
                .map(|category| number(&forms[*category]))
                .collect();
            lines.join("\n")
        }
    })
}

/// The English catalogue with accents on its letters, and longer by two fifths.
fn pseudo(source: &Catalogue) -> Catalogue {
    let change = |text: &String| {
        let mut in_slot = false;
        let mut changed = String::from("[");
        for letter in text.chars() {
            in_slot = (in_slot || letter == '{') && letter != '}';
            changed.push(if in_slot { letter } else { accented(letter) });
        }
        let more = text.chars().count() * 2 / 5;
        // In words, so that the longer text wraps as another language would.
        changed.extend("~~~~ ".chars().cycle().take(more));
        changed.push(']');
        changed
    };
    let mut catalogue = source.clone();
    for entry in catalogue.values_mut() {
        match entry {
            Entry::One(text) => *text = change(text),
            Entry::Plural(forms) => forms.values_mut().for_each(|form| *form = change(form)),
        }
    }
    catalogue
}

fn accented(letter: char) -> char {
    const PLAIN: &str = "aceinouyACEINOUY";
    const ACCENTED: &str = "áçéíñóúýÁÇÉÍÑÓÚÝ";
    let index = PLAIN.chars().position(|plain| plain == letter);
    index
        .and_then(|index| ACCENTED.chars().nth(index))
        .unwrap_or(letter)
}
