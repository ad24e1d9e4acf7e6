/** What is said about the page as a whole. */

import { byId } from "./dom.js";

const SHOWN_MS = 8000;
let timer = null;

/** A sentence for a while, read out too. */
export function notify(text) {
  const notice = byId("notice");
  notice.textContent = text;
  notice.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(() => (notice.hidden = true), SHOWN_MS);
}

/** Say so while the network is away. */
export function initOffline() {
  const show = () => (byId("offline").hidden = navigator.onLine);
  window.addEventListener("online", show);
  window.addEventListener("offline", show);
  show();
}
