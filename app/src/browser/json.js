// JSON as the app can read it.

const withFiles = (_, value) =>
  Array.isArray(value?.files) ? { ...value, files: undefined, body: `${value.body}\0${JSON.stringify(value.files)}` } : value;

/** The same JSON without needless escapes. The files of a message follow its text, as a JSON text after NUL. */
export const rewrite = (json) => JSON.stringify(JSON.parse(json), withFiles);
