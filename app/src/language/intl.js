// Plurals, dates, times and numbers in the language of the page, by the browser's own functions.

let plurals, rules, language, formats;

/** Takes the catalogue of the page's language, and returns its texts in their order, separated by U+0000. */
export function open(catalogue) {
  ({ plurals } = catalogue);
  rules = formats = undefined;
  const page = document.documentElement.lang;
  // The reader's own variant of the language, such as British English.
  language = navigator.languages.find((tag) => tag.split("-")[0] === page.split("-")[0]) ?? page;
  return catalogue.texts.join("\0");
}

/** The index of a number's plural form among the forms of a text. */
export function pluralForm(count) {
  // Here and below: creating a rule or a format takes milliseconds, so it waits for the first use.
  rules ??= new Intl.PluralRules(document.documentElement.lang);
  return Math.max(plurals.indexOf(rules.select(count)), 0);
}

function createFormats() {
  const { hourCycle } = new Intl.DateTimeFormat(navigator.language, { hour: "numeric" }).resolvedOptions();
  const time = { hour: hourCycle < "h2" ? "numeric" : "2-digit", minute: "2-digit", hourCycle };
  const day = { weekday: "long", day: "numeric", month: "long" };
  const date = { ...day, year: "numeric" };
  return [time, day, date, { dateStyle: "full", timeStyle: "medium", hourCycle }];
}

export function writeDate(format, millis) {
  formats ??= createFormats();
  formats[format].write ??= new Intl.DateTimeFormat(language, { ...formats[format], timeZone: "UTC" });
  return formats[format].write.format(millis);
}

export const writeNumber = (number) => number.toLocaleString(language);
