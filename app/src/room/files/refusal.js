// Why a request has failed.

/** The server (`isByServer`), or something on the way to it, has refused the request, and would refuse it again. */
export class Refusal extends Error {
  constructor(words, isByServer) {
    super(words);
    this.isByServer = isByServer;
  }
}

/** There was no answer, or one that asks to come back after `seconds`. */
export class Interruption extends Error {
  constructor(seconds) {
    super("interrupted");
    this.seconds = seconds;
  }
}

/** What follows from an answer that is no success. */
export function failureOf(status, body, retryAfter) {
  const seconds = Number.parseInt(retryAfter, 10) || undefined;
  if (status === 0 || status === 408 || status === 423 || status === 429 || (status >= 500 && status !== 507))
    return new Interruption(seconds);
  const reason = reasonOf(body);
  return new Refusal(reason ?? `HTTP ${status}`, Boolean(reason));
}

/** The sentence in a problem document. */
function reasonOf(body) {
  try {
    const { detail } = JSON.parse(body);
    return detail && detail[0].toUpperCase() + detail.slice(1);
  } catch {
    return undefined;
  }
}

/** Sends a request that takes no long time; resolves to the JSON of a successful answer. */
export async function request(method, path, { headers = {}, body, signal } = {}) {
  const timeout = AbortSignal.timeout(20_000);
  // Older browsers cannot join both.
  const signals = signal ? (AbortSignal.any?.([signal, timeout]) ?? signal) : timeout;
  let answer, text;
  try {
    answer = await fetch(path, { method, body, headers: { Accept: "application/json", ...headers }, signal: signals });
    text = await answer.text();
  } catch {
    signal?.throwIfAborted();
    throw new Interruption();
  }
  if (!answer.ok) throw failureOf(answer.status, text, answer.headers.get("Retry-After"));
  return text && JSON.parse(text);
}
