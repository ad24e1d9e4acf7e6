/** The end of the conversation stays in sight, unless the person has scrolled away from it. */

import { byId } from "./dom.js";

const NEAR = 80; // pixels

/** @returns {{follow: () => void, toEnd: () => void, toStart: () => void}} */
export function initScrolling() {
  const scroller = byId("scroller");
  const latest = byId("latest");
  let isAtEnd = true;

  const toEnd = () => {
    isAtEnd = true;
    latest.hidden = true;
    scroller.scrollTop = scroller.scrollHeight;
  };
  const toStart = () => (scroller.scrollTop = 0);
  scroller.addEventListener("scroll", () => {
    isAtEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR;
    latest.hidden = isAtEnd;
  });
  latest.addEventListener("click", () => {
    toEnd();
    byId("question").focus();
  });
  return { follow: () => isAtEnd && toEnd(), toEnd, toStart };
}
