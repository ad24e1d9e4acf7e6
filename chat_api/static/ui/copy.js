/** Copying to the clipboard. */

import { announce, icon, make, makeButton } from "./dom.js";
import { notify } from "./notices.js";

const SHOWN_MS = 1500;

/** A button that copies what `text()` gives then, and says whether it did. */
export function copyButton(label, text, { drawing = "copy" } = {}) {
  const button = makeButton(label, drawing, async () => {
    if (!(await copied(text()))) return notify("The browser did not let this be copied.");
    announce("Copied.");
    button.replaceChildren(icon("check"));
    setTimeout(() => button.replaceChildren(icon(drawing)), SHOWN_MS);
  });
  return button;
}

async function copied(text) {
  // Plain HTTP from another machine is no secure context, and has the old way only.
  if (!navigator.clipboard) return copiedTheOldWay(text);
  return navigator.clipboard.writeText(text).then(
    () => true,
    () => false, // the person, or a policy, forbids it
  );
}

function copiedTheOldWay(text) {
  const box = make("textarea", { class: "unseen" });
  const focused = document.activeElement;
  box.value = text;
  document.body.append(box);
  box.select();
  const isCopied = document.execCommand("copy");
  box.remove();
  focused?.focus();
  return isCopied;
}
