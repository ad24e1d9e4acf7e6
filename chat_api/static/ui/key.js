/** The key to a server that wants one. It is kept in this tab only. */

import { byId } from "./dom.js";
import { recall, remember, thisTab } from "./storage.js";

let asking = null;

/** The headers that carry the key, if there is one. */
export function keyHeaders() {
  const key = recall("key", null, thisTab);
  return key ? { "x-api-key": asBytes(key) } : {};
}

/** The UTF-8 of a text, a character a byte: `fetch` takes none beyond 255 in a header. */
const asBytes = (text) => String.fromCharCode(...new TextEncoder().encode(text));

/**
 * Ask for a key; calls that are refused at the same time share one question.
 * @returns {Promise<boolean>} whether there is a new one
 */
export function askForKey() {
  asking ??= showDialog().finally(() => (asking = null));
  return asking;
}

async function showDialog() {
  const dialog = byId("key-dialog");
  const box = byId("key");
  const wasRefused = "x-api-key" in keyHeaders();
  byId("key-text").textContent = wasRefused ? "It does not take the key that was sent." : "";
  box.value = "";
  dialog.returnValue = "";
  dialog.showModal();
  box.focus();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  const given = box.value.trim();
  box.value = "";
  if (dialog.returnValue !== "use" || !given) return false;
  remember("key", given, thisTab);
  return true;
}
