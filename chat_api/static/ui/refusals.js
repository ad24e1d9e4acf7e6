/** What the server refuses, in words for the one who reads it. */

import { make, makeButton } from "./dom.js";

const LOST = "This chat is not on the server any more. To try again begins a new one.";
const GONE = "It expired, was deleted, or belongs to another key. What you write begins a new one.";

/** @param {import("./api.js").ApiError} error */
export function wordsOf({ message, retryAfterSeconds, isLostSession }) {
  if (isLostSession) return LOST;
  return retryAfterSeconds ? `${message} Wait ${retryAfterSeconds} s.` : message;
}

/** What stands in the place of a chat that cannot be shown. */
export function cannotBeOpened(error, onAgain) {
  const heading = make("strong", {}, "This chat cannot be opened.");
  const text = error.isLostSession ? GONE : wordsOf(error);
  const note = make("div", { class: "note", role: "alert" }, make("p", {}, heading, ` ${text}`));
  if (!error.isLostSession) {
    note.append(makeButton("Try again", "again", onAgain, { showsLabel: true }));
  }
  return note;
}
