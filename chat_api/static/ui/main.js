/** The chat page: which chat is shown, and who tells whom. */

import { ApiError } from "./api.js";
import * as chats from "./chats.js";
import { initComposer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { byId } from "./dom.js";
import { initOffline, notify } from "./notices.js";
import { initScrolling } from "./scrolling.js";
import { chosenModel, initInstructions, loadModels } from "./settings.js";
import { closeDrawer, initSidebar } from "./sidebar.js";
import { recall, remember, thisTab } from "./storage.js";
import { initTheme } from "./theme.js";

/** Chats whose answer is still being written go on unseen; opened again, they are shown again. */
const answering = new Set();
let current = newConversation(null);

const { follow, toEnd, toStart } = initScrolling();
const showInstructions = initInstructions((text) => (current.instructions = text));
const composer = initComposer({
  send: (text) => send(text),
  stop: () => current.stop(),
  isAnswering: () => current.isAnswering,
  isLoading: () => current.isLoading,
});
const showChats = initSidebar({
  current: () => current.id,
  open: (id) => open(id),
  removed,
});

function newConversation(id) {
  const conversation = new Conversation(id, {
    model: chosenModel,
    onChange: () => changed(conversation),
    onGrow: () => conversation === current && follow(),
    onReplaced: () => composer.focus(),
  });
  return conversation;
}

function changed(conversation) {
  if (conversation.isAnswering) answering.add(conversation);
  else answering.delete(conversation);
  if (conversation === current) show();
}

/** Show the current chat, and what the rest of the page says of it. */
function show() {
  const place = byId("place");
  if (place.firstChild !== current.element) place.replaceChildren(current.element);
  byId("empty").hidden = !current.isEmpty || current.isLoading;
  byId("scroller").setAttribute("aria-busy", String(current.isLoading));
  byId("title").textContent = current.title;
  document.title = current.id ? `${current.title} – Chat` : "Chat";
  remember("current", current.id, thisTab);
  composer.show();
  showChats();
  if (!current.isEmpty) follow();
}

function send(text) {
  toEnd();
  composer.focus();
  return current.ask(text);
}

/** @param {string | null} id null for a new chat */
async function open(id) {
  closeDrawer();
  const known = id && [...answering].find((conversation) => conversation.id === id);
  const conversation = known || newConversation(id);
  current = conversation;
  showInstructions(conversation.instructions ?? "");
  if (id && !known) await load(conversation);
  if (current !== conversation) return; // another one was opened meanwhile
  showInstructions(conversation.instructions ?? "");
  show();
  if (conversation.isEmpty) toStart();
  else toEnd();
  composer.focus();
}

/** A chat was deleted: nobody waits for its answer any more. */
function removed(id) {
  for (const conversation of answering) if (conversation.id === id) conversation.stop();
  if (id === current.id) open(null);
}

async function load(conversation) {
  try {
    await conversation.load();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const gone = "It expired, was deleted, or belongs to another key.";
    notify(error.isLostSession ? `This chat cannot be opened. ${gone}` : error.message);
  }
}

byId("empty").addEventListener("click", (event) => {
  const example = event.target.closest(".example");
  if (example) send(example.textContent.trim());
});
chats.changes.addEventListener("change", () => (byId("title").textContent = current.title));

initTheme();
initOffline();
loadModels();
open(recall("current", null, thisTab));
