/** The list of chats, and on narrow screens the drawer that it lies in. */

import * as chats from "./chats.js";
import { openMenu } from "./chat-menu.js";
import { byId, icon, make } from "./dom.js";

const narrow = matchMedia("(max-width: 56rem)");

/**
 * @param {{current: () => string | null, open: (id: string | null) => void, removed: (id: string) => void}} page
 * @returns {() => void} shows the list anew
 */
export function initSidebar(page) {
  const list = byId("chats");

  let shown = "";

  // Only what has changed is made anew, and nothing while a name is being written: the focus, and
  // what was written, would be lost.
  const show = () => {
    const known = chats.all();
    const wanted = JSON.stringify([known, page.current()]);
    if (wanted === shown || list.querySelector("input")) return;
    shown = wanted;
    byId("no-chats").hidden = known.length > 0;
    list.replaceChildren(...known.map((chat) => row(chat, chat.id === page.current())));
  };

  const row = ({ id, title }, isCurrent) => {
    const open = make("button", { type: "button", class: "chat", dir: "auto", title }, title);
    if (isCurrent) open.setAttribute("aria-current", "page");
    open.addEventListener("click", () => page.open(id));
    const more = make("button", { type: "button", class: "button quiet icon-only more" });
    more.setAttribute("aria-label", `More for ${title}`);
    more.append(icon("more"));
    const item = make("li", {}, open, more);
    more.addEventListener("click", () => {
      openMenu(more, id, { rename: () => editTitle(item, id, title), removed: page.removed });
    });
    return item;
  };

  const editTitle = (item, id, title) => {
    const box = make("input", { class: "box", "aria-label": "New name", dir: "auto", value: title });
    let isDone = false; // taking the box away blurs it
    const done = (name, isLeft = false) => {
      if (isDone) return;
      isDone = true;
      box.remove();
      shown = "";
      if (name && name !== title) chats.rename(id, name);
      else show();
      if (isLeft) return; // for something else, which has the focus now
      const place = chats.all().findIndex((chat) => chat.id === id);
      list.children[place]?.querySelector(".chat").focus();
    };
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.isComposing) done(box.value.trim());
      if (event.key === "Escape") done(null);
    });
    box.addEventListener("blur", () => done(box.value.trim(), true));
    item.replaceChildren(box);
    box.focus();
    box.select();
  };

  chats.changes.addEventListener("change", show);
  byId("new-chat").addEventListener("click", () => page.open(null));
  initDrawer();
  return show;
}

/** Shut the drawer; nothing happens where there is none. */
export function closeDrawer() {
  setDrawer(false);
}

function initDrawer() {
  byId("show-sidebar").addEventListener("click", () => setDrawer(true));
  byId("hide-sidebar").addEventListener("click", () => setDrawer(false));
  byId("shade").addEventListener("click", () => setDrawer(false));
  byId("sidebar").addEventListener("keydown", (event) => {
    const isFurtherIn = event.target.closest("input, [popover]");
    if (event.key === "Escape" && !isFurtherIn) setDrawer(false);
  });
  narrow.addEventListener("change", () => setDrawer(false));
}

function setDrawer(isOpen) {
  const wasOpen = document.body.classList.contains("drawer-open");
  if (isOpen === wasOpen) return;
  document.body.classList.toggle("drawer-open", isOpen);
  byId("shade").hidden = !isOpen;
  byId("main").inert = isOpen;
  byId("show-sidebar").setAttribute("aria-expanded", String(isOpen));
  byId(isOpen ? "hide-sidebar" : "show-sidebar").focus();
}
