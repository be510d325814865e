// JSON as the app can read it.

const filesAsText = (key, value) => (key === "files" && Array.isArray(value) ? JSON.stringify(value) : value);

/** The same JSON without needless escapes, in which a list under the name `files` is a JSON text. */
export const rewrite = (json) => JSON.stringify(JSON.parse(json), filesAsText);
