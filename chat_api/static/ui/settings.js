/** Which model answers, and what it is told before all else. */

import { ApiError, callJson } from "./api.js";
import { byId, make } from "./dom.js";
import { notify } from "./notices.js";
import { recall, remember } from "./storage.js";

/** Fill the list of models. What was chosen last is chosen again, if it is still there. */
export async function loadModels() {
  const list = byId("model");
  list.addEventListener("change", () => remember("model", list.value));
  try {
    const { models, default: standard } = await callJson("/models");
    list.replaceChildren(...models.map((name) => make("option", {}, name)));
    const chosen = recall("model", standard);
    list.value = models.includes(chosen) ? chosen : standard;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    notify(`The models are not known: ${error.message} The server's default one answers.`);
  }
}

/** The chosen one; undefined for the server's default. */
export const chosenModel = () => byId("model").value || undefined;

/**
 * @param {(text: string) => void} onChange
 * @returns {(text: string) => void} shows the instructions of another chat
 */
export function initInstructions(onChange) {
  const button = byId("show-instructions");
  const panel = byId("instructions");
  const box = byId("developer-message");
  const mark = () => button.classList.toggle("is-set", box.value.trim() !== "");

  button.addEventListener("click", () => {
    panel.hidden = !panel.hidden;
    button.setAttribute("aria-expanded", String(!panel.hidden));
    if (!panel.hidden) box.focus();
  });
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation(); // it would stop the answer too
    button.click();
    button.focus();
  });
  box.addEventListener("input", () => {
    mark();
    onChange(box.value);
  });
  return (text) => {
    box.value = text;
    mark();
  };
}
