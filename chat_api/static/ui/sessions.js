/** A chat as the server keeps it. */

import { ApiError, callJson } from "./api.js";
import { textOf } from "./exports.js";

export const pathOf = (id) => `/api/sessions/${encodeURIComponent(id)}`;

/**
 * Have the server forget a question and all that follows it.
 * @param {string} id the session's
 * @param {{index: number, question: string}} first where it is, and how it reads
 * @returns {Promise<number>} how many messages are left
 * @throws {ApiError} also when something else is there
 */
export async function forgetFrom(id, first) {
  const { messages } = await callJson(pathOf(id));
  // Another tab, or the bound of a long session, may have moved what is there.
  if (textOf(messages[first.index]?.content) !== first.question) {
    throw new ApiError("This chat was changed elsewhere: open it again to see how.", 409);
  }
  const path = `${pathOf(id)}/messages/${first.index}`;
  return (await callJson(path, { method: "DELETE" })).message_count;
}
