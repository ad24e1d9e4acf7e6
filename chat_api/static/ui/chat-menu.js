/** What can be done with a chat: one menu for all of them, put beside the button that opened it. */

import { ApiError, call, callJson } from "./api.js";
import * as chats from "./chats.js";
import { confirmed } from "./confirm.js";
import { byId } from "./dom.js";
import { saveAsJson, saveAsMarkdown } from "./exports.js";
import { notify } from "./notices.js";
import { pathOf } from "./sessions.js";

const GAP = 4; // pixels

/**
 * @param {HTMLElement} opener
 * @param {string} id the chat's
 * @param {{rename: () => void, removed: (id: string) => void}} page
 */
export function openMenu(opener, id, page) {
  const menu = byId("chat-menu");
  const actions = {
    rename: page.rename,
    markdown: async () => saveAsMarkdown(await callJson(pathOf(id)), chats.titleOf(id)),
    json: async () => saveAsJson(await callJson(pathOf(id)), chats.titleOf(id)),
    delete: () => remove(id, page.removed),
  };
  menu.onclick = (event) => {
    const name = event.target.closest("button")?.dataset.action;
    if (!name) return;
    menu.hidePopover();
    run(actions[name]);
  };
  menu.showPopover();
  const place = opener.getBoundingClientRect();
  const lowest = innerHeight - menu.offsetHeight - GAP;
  menu.style.top = `${Math.max(GAP, Math.min(place.bottom + GAP, lowest))}px`;
  menu.style.left = `${Math.max(GAP, place.right - menu.offsetWidth)}px`;
}

async function run(action) {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    notify(error.message);
  }
}

async function remove(id, removed) {
  const text = `“${chats.titleOf(id)}” goes away for good, here and on the server.`;
  if (!(await confirmed("Delete this chat?", text, "Delete"))) return;
  try {
    await call(pathOf(id), { method: "DELETE" });
  } catch (error) {
    if (!error.isLostSession) throw error; // gone already: all the better
  }
  chats.forget(id);
  removed(id);
}
