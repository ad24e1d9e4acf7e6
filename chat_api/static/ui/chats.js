/**
 * The chats that this browser knows: ids and titles, newest first. What was said in them is on the
 * server, where an id is the key to it.
 */

import { recall, remember } from "./storage.js";

const NAME = "chats";
export const LONGEST_TITLE = 80; // characters
/** By `u` an emoji is one character, and is not cut in two. */
const BEGINNING = new RegExp(`^.{0,${LONGEST_TITLE - 1}}`, "u");

/** Tells of changes, those of other tabs too. */
export const changes = new EventTarget();

/** @returns {{id: string, title: string}[]} */
export const all = () => recall(NAME, []);

export const titleOf = (id) => all().find((chat) => chat.id === id)?.title;

/** A title for a chat that begins with this question. */
export function titleFor(question) {
  const line = question.trim().replace(/\s+/g, " ");
  if (line.length <= LONGEST_TITLE) return line;
  const [beginning] = line.match(BEGINNING);
  return beginning === line ? line : `${beginning}…`;
}

/** Put a chat first; a new one gets the title. */
export function use(id, title) {
  const rest = all().filter((chat) => chat.id !== id);
  store([{ id, title: titleOf(id) ?? title }, ...rest]);
}

export function rename(id, title) {
  store(all().map((chat) => (chat.id === id ? { id, title } : chat)));
}

export function forget(id) {
  store(all().filter((chat) => chat.id !== id));
}

function store(chats) {
  remember(NAME, chats);
  changes.dispatchEvent(new Event("change"));
}

window.addEventListener("storage", () => changes.dispatchEvent(new Event("change")));
