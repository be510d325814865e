// The texts of this script, in the language of the page.

let texts = {};

export async function loadTexts(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`the texts about files answered ${answer.status}`);
  texts = await answer.json();
}

/** A text that is heard, with values for its placeholders. */
export const label = (key, values = {}) => texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);

/** A text that is seen: a name in it is in its own direction. */
export const text = (key, values = {}) => label(key, "name" in values ? { ...values, name: `\u2068${values.name}\u2069` } : values);

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
