// Plurals, dates, times and numbers in the language of the page, by the browser's own functions.

let plurals, rules, language, formats;

/** Takes the catalogue of the page's language, and returns its texts in their order, separated by U+0000. */
export function open(catalogue) {
  plurals = catalogue.plurals;
  const page = document.documentElement.lang;
  rules = new Intl.PluralRules(page);
  // The reader's own variant of the language, such as British English.
  language = navigator.languages.find((tag) => tag.split("-")[0] === page.split("-")[0]) ?? page;
  const { hourCycle } = new Intl.DateTimeFormat(navigator.language, { hour: "numeric" }).resolvedOptions();
  const time = { hour: hourCycle < "h2" ? "numeric" : "2-digit", minute: "2-digit", hourCycle };
  const day = { weekday: "long", day: "numeric", month: "long" };
  const date = { ...day, year: "numeric" };
  // Creating a format takes longer than using it.
  formats = [time, day, date, { dateStyle: "full", timeStyle: "medium", hourCycle }];
  return catalogue.texts.join("\0");
}

/** The index of a number's plural form among the forms of a text. */
export const pluralForm = (count) => Math.max(plurals.indexOf(rules.select(count)), 0);

export function writeDate(format, millis) {
  formats[format].write ??= new Intl.DateTimeFormat(language, { ...formats[format], timeZone: "UTC" });
  return formats[format].write.format(millis);
}

export const writeNumber = (number) => number.toLocaleString(language);
