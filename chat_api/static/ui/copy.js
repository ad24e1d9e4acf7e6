/** Copying to the clipboard. */

import { announce, icon, make, makeButton } from "./dom.js";

const SHOWN_MS = 1500;

/** A button that copies what `text()` gives then, and says that it did. */
export function copyButton(label, text, { drawing = "copy" } = {}) {
  const button = makeButton(label, drawing, async () => {
    await copy(text());
    announce("Copied.");
    button.replaceChildren(icon("check"));
    setTimeout(() => button.replaceChildren(icon(drawing)), SHOWN_MS);
  });
  return button;
}

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Plain HTTP from another machine is no secure context, and has the old way only.
  const box = make("textarea", { class: "unseen" });
  const focused = document.activeElement;
  box.value = text;
  document.body.append(box);
  box.select();
  document.execCommand("copy");
  box.remove();
  focused?.focus();
}
