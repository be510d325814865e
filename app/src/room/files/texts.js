// The texts of this script, in the language of the page.

let texts = {};

export async function loadTexts(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`the texts about files answered ${answer.status}`);
  texts = await answer.json();
}

/** A text, with values for its placeholders. A name is read in its own direction. */
export function text(key, values = {}) {
  return texts[key].replace(/\{(\w+)\}/g, (_, name) =>
    name === "name" ? `\u2068${values.name}\u2069` : values[name]);
}

/** The form of a text for a number. */
export function countText(key, count) {
  const form = new Intl.PluralRules(document.documentElement.lang).select(count);
  return text(`${key}_${form}`, { count });
}

const UNITS = ["B", "KB", "MB", "GB", "TB"];

/** A number of bytes in words, as the server writes it. */
export function sizeText(size) {
  let power = 0;
  let unit = 1;
  while (size / unit >= 1_000 && power + 1 < UNITS.length) {
    unit *= 1_000;
    power += 1;
  }
  const tenths = Math.floor((size * 10 + unit / 2) / unit);
  const number = power > 0 && tenths < 100
    ? `${Math.floor(tenths / 10)}${texts.decimal_point}${tenths % 10}`
    : Math.floor((size + unit / 2) / unit);
  return `${number} ${UNITS[power]}`;
}

/** What a name says of its file's kind. */
export const kindText = (name) => /\.([0-9a-z]{1,4})$/i.exec(name)?.[1].toUpperCase() ?? texts.file;
