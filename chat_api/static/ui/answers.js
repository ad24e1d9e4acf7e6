/** One question to the server, and its answer as it comes. */

import { call } from "./api.js";

/** The answer began and is not whole. */
export class BrokenAnswer extends Error {}

/**
 * @typedef {object} Figures
 * @property {number | null} firstSeconds until the first piece of text
 * @property {number} totalSeconds
 * @property {string | null} model who really answered
 * @property {{prompt_tokens: number, completion_tokens: number} | null} usage
 */

/**
 * Ask, and hand on each piece of text.
 * @param {object} request the body of `POST /api/chat`
 * @param {{signal: AbortSignal, onSession: (id: string) => void, onPiece: (text: string) => void}} told
 * @returns {Promise<Figures>} when the answer is whole, and only then
 * @throws {ApiError} nothing came
 * @throws {BrokenAnswer}
 */
export async function ask(request, { signal, onSession, onPiece }) {
  const seconds = stopwatch();
  let firstSeconds = null;
  const options = { method: "POST", body: request, accept: "text/event-stream", signal };
  const reply = await call("/api/chat", options);
  onSession(reply.headers.get("X-Session-ID"));
  for await (const event of events(reply.body)) {
    if ("error" in event) throw new BrokenAnswer(event.error);
    if (event.done) {
      return { firstSeconds, totalSeconds: seconds(), model: event.model, usage: event.usage };
    }
    firstSeconds ??= seconds();
    onPiece(event.content);
  }
  // No error and no `done`: the server, or something on the way, died.
  throw new BrokenAnswer("The connection ended before the answer did.");
}

function stopwatch() {
  const start = performance.now();
  return () => (performance.now() - start) / 1000;
}

/** The data of each event; comments, which only keep the connection awake, are left out. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(broken);
      if (done) return;
      const frames = (rest + value).split("\n\n");
      rest = frames.pop();
      for (const frame of frames) {
        if (frame.startsWith("data: ")) yield JSON.parse(frame.slice("data: ".length));
      }
    }
  } finally {
    reader.cancel().catch(() => {}); // whoever stops reading hangs up; a broken stream has already
  }
}

function broken(error) {
  if (error.name === "AbortError") throw error;
  throw new BrokenAnswer("The connection broke off.");
}
