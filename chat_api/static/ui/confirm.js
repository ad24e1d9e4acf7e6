/** A question before something is lost. */

import { byId } from "./dom.js";

/**
 * @param {string} heading
 * @param {string} text what will be lost
 * @param {string} yes what the button says
 * @returns {Promise<boolean>}
 */
export async function confirmed(heading, text, yes) {
  const dialog = byId("confirm-dialog");
  byId("confirm-heading").textContent = heading;
  byId("confirm-text").textContent = text;
  byId("confirm-yes").textContent = yes;
  dialog.returnValue = "";
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  return dialog.returnValue === "yes";
}
