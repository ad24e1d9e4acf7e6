/** An answer while it is written: what is complete is rendered, the rest is plain. */

import { make } from "./dom.js";
import { render } from "./markdown.js";

const INTERVAL_MS = 700;
/** Rendering takes the server at most a tenth of the time. */
const SHARE = 10;

export class LiveText {
  #rendered = make("div", { class: "prose" });
  #tail = make("div", { class: "tail", dir: "auto" }, "");
  #cut = 0;
  #timer = null;
  #wait = INTERVAL_MS;
  #isSettled = false;
  text = "";

  /** @param {() => void} onGrow after each change of what is seen */
  constructor(onGrow) {
    this.onGrow = onGrow;
    this.element = make("div", { class: "text" }, this.#rendered, this.#tail);
  }

  append(piece) {
    this.text += piece;
    this.#tail.firstChild.appendData(piece);
    this.#timer ??= setTimeout(() => this.#renderPart(), this.#wait);
    this.onGrow();
  }

  /** Show all of a text that came at once; null: it is too long to be rendered. */
  show(fragment) {
    if (fragment) this.#rendered.replaceChildren(fragment);
    else this.#tail.firstChild.data = this.text;
  }

  /** No more comes: render all there is. */
  async settle() {
    this.#isSettled = true;
    clearTimeout(this.#timer);
    if (this.text) await this.#show(this.text.length);
  }

  async #renderPart() {
    const cut = completeUntil(this.text);
    const start = performance.now();
    if (cut > this.#cut) await this.#show(cut);
    this.#wait = Math.max(INTERVAL_MS, SHARE * (performance.now() - start));
    this.#timer = null;
  }

  async #show(cut) {
    const isLast = this.#isSettled;
    const [fragment] = await render([this.text.slice(0, cut)]);
    if (!fragment || (this.#isSettled && !isLast)) return; // a later call shows more
    this.#rendered.replaceChildren(fragment);
    this.#cut = cut;
    this.#tail.firstChild.data = this.text.slice(cut).trimStart();
    this.onGrow();
  }
}

/** Where the last block begins that may still change: after the last blank line, out of code. */
function completeUntil(text) {
  let end = 0;
  let isInCode = false;
  for (const { 0: found, index } of text.matchAll(/^ {0,3}(?:```|~~~)|\n\n/gm)) {
    if (found !== "\n\n") isInCode = !isInCode;
    else if (!isInCode) end = index;
  }
  return end;
}
