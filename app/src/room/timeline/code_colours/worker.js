// Finds what is coloured in a code, in a worker: the page goes on while a long text is read.

import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import cpp from "highlight.js/lib/languages/cpp";
import css from "highlight.js/lib/languages/css";
import diff from "highlight.js/lib/languages/diff";
import go from "highlight.js/lib/languages/go";
import ini from "highlight.js/lib/languages/ini";
import java from "highlight.js/lib/languages/java";
import json from "highlight.js/lib/languages/json";
import python from "highlight.js/lib/languages/python";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";

const languages = { bash, cpp, css, diff, go, ini, java, json, python, rust, sql, typescript, xml, yaml };
for (const [name, language] of Object.entries(languages)) hljs.registerLanguage(name, language);
const ALIASES = {
  typescript: ["javascript", "js", "mjs", "jsx"],
  bash: ["shell", "console"],
  cpp: ["c", "h"],
};
for (const [languageName, aliases] of Object.entries(ALIASES)) hljs.registerAliases(aliases, { languageName });

/** The kind of each class of highlight.js; others have no colour. */
const KINDS = {
  keyword: "keyword",
  literal: "keyword",
  meta: "comment",
  comment: "comment",
  quote: "comment",
  string: "string",
  regexp: "string",
  symbol: "string",
  number: "number",
  "selector-class": "name",
  "selector-id": "name",
  "selector-tag": "keyword",
  attr: "name",
  attribute: "name",
  built_in: "name",
  name: "keyword",
  section: "name",
  tag: "comment",
  title: "name",
  type: "name",
  variable: "number",
  addition: "addition",
  deletion: "deletion",
};

addEventListener("message", ({ data: { code, language } }) => postMessage({ code, ranges: find(code, language) }));

/** The ranges of a code, each with its start, its end and its kind. Each character has the kind of its innermost class. */
function find(code, language) {
  if (!hljs.getLanguage(language)) return [];
  const { value } = hljs.highlight(code, { language, ignoreIllegals: true });
  const ranges = [];
  const open = [];
  let at = 0;
  for (const [, name, end, entity, text] of value.matchAll(/<span class="hljs-([\w-]+)[^>]*>|(<\/span>)|(&[#\w]+;)|([^<&]+)/g)) {
    if (name) open.push(KINDS[name] ?? open.at(-1));
    else if (end) open.pop();
    else {
      const from = at;
      const kind = open.at(-1);
      at += entity ? 1 : text.length;
      if (!kind) continue;
      const last = ranges.at(-1);
      if (last && last[1] === from && last[2] === kind) last[1] = at;
      else ranges.push([from, at, kind]);
    }
  }
  return ranges;
}
