/** The box in which one writes. */

import { byId, growWithText } from "./dom.js";
import { recall, remember, thisTab } from "./storage.js";

/**
 * @param {{send: (text: string) => void, stop: () => void, isAnswering: () => boolean, isLoading: () => boolean, unanswered: () => string}} page
 * @returns {{show: () => void, focus: () => void, putBack: (text: string) => void}}
 */
export function initComposer(page) {
  const form = byId("composer");
  const box = byId("question");
  const stop = byId("stop");
  const grow = growWithText(box);

  /** Not where that would bring up a keyboard over half of the screen. */
  const focus = () => matchMedia("(pointer: coarse)").matches || box.focus();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = box.value;
    if (!text.trim() || page.isAnswering() || page.isLoading()) return;
    box.value = "";
    grow();
    page.send(text);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  stop.addEventListener("click", page.stop);
  // A reload ends the answer that is under way, which is then not kept: its question is.
  window.addEventListener("pagehide", () => {
    remember("draft", box.value || page.unanswered() || null, thisTab);
  });
  box.value = recall("draft", "", thisTab);
  grow();
  document.addEventListener("keydown", (event) => {
    const isElsewhere = event.target.closest?.("dialog, [popover], aside, .edit");
    if (event.key === "Escape" && !isElsewhere && page.isAnswering()) page.stop();
  });

  /** Offer to send, or to stop. */
  const show = () => {
    const isAnswering = page.isAnswering();
    const hadFocus = document.activeElement === stop;
    stop.hidden = !isAnswering;
    byId("send").hidden = isAnswering;
    if (hadFocus && !isAnswering) focus();
  };
  /** What could not be asked is there to be sent again. */
  const putBack = (text) => {
    box.value ||= text;
    grow();
  };
  return { show, focus, putBack };
}
