/** Calls to this server. */

import { askForKey, keyHeaders } from "./key.js";

/** What the server refused, or that it could not be reached (status 0). */
export class ApiError extends Error {
  constructor(text, status, retryAfterSeconds = 0) {
    super(text);
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** Whether a session is not there (any more): its text is part of the server's contract. */
  get isLostSession() {
    return this.status === 404 && this.message === "Session not found";
  }
}

/**
 * A reply whose status is good. Where the server wants a key the person is asked for it.
 * @param {string} path
 * @param {{method?: string, body?: object, accept?: string, signal?: AbortSignal}} options
 * @throws {ApiError}
 */
export async function call(path, { method = "GET", body, accept, signal } = {}) {
  for (;;) {
    const headers = { accept: accept ?? "application/json", ...keyHeaders() };
    if (body) headers["content-type"] = "application/json";
    const sent = { method, headers, signal, body: body && JSON.stringify(body) };
    const reply = await fetch(path, sent).catch(unreachable);
    if (reply.ok) return reply;
    // A key that another call has brought meanwhile is tried before anybody is asked again.
    const isNewer = keyHeaders()["x-api-key"] !== headers["x-api-key"];
    if (reply.status === 401 && (isNewer || (await askForKey()))) continue;
    throw await refusal(reply);
  }
}

/** The JSON of a reply. */
export const callJson = async (path, options) => (await call(path, options)).json();

function unreachable(error) {
  if (error.name === "AbortError") throw error;
  throw new ApiError("The server cannot be reached.", 0);
}

async function refusal(reply) {
  const body = await reply.json().catch(() => ({})); // a proxy's page, say
  const text = body.detail ?? body.error ?? `The server answered with status ${reply.status}.`;
  return new ApiError(text, reply.status, Number(reply.headers.get("Retry-After")) || 0);
}
