/**
 * A question and its answer, as they are seen. `data-state` of the element says how it stands:
 * waiting, streaming, whole, stopped, broken (it began and is not whole) or refused (it never began).
 */

import { copyButton } from "./copy.js";
import { curlOf } from "./curl.js";
import { growWithText, make, makeButton } from "./dom.js";
import { describe } from "./figures.js";
import { LiveText } from "./live-text.js";

const NOTES = {
  stopped: "Stopped. What is not whole is not kept in the chat.",
  broken: "The answer broke off and is not whole. It is not kept in the chat.",
  refused: "No answer.",
};

export class Exchange {
  /** The position of its question in the session; of no meaning while it is not stored. */
  index = 0;
  isStored = false;
  /** The body of the request that was sent from here. */
  request = null;

  /**
   * @param {string} question
   * @param {{onAgain: (question: string) => void, onGrow: () => void}} told
   */
  constructor(question, { onAgain, onGrow }) {
    this.question = question;
    this.onAgain = onAgain;
    this.live = new LiveText(onGrow);
    this.asked = make("div", { class: "asked" });
    this.note = make("div", { class: "note", role: "alert" });
    this.figures = make("span", { class: "figures" });
    this.actions = make("div", { class: "actions" });
    const foot = make("footer", { class: "answer-foot" }, this.figures, this.actions);
    const answer = make("div", { class: "answer" }, this.live.element, this.note, foot);
    answer.prepend(make("h2", { class: "unseen" }, "Answer"));
    this.element = make("article", { class: "exchange" }, this.asked, answer);
    this.element.dataset.state = "waiting";
    this.#showQuestion();
  }

  get state() {
    return this.element.dataset.state;
  }

  append(piece) {
    this.element.dataset.state = "streaming";
    this.live.append(piece);
  }

  /** An answer of earlier, rendered; null where it is too long for that. */
  show(fragment) {
    this.live.show(fragment);
    this.#end("whole");
  }

  /** @param {import("./answers.js").Figures} figures */
  async finish(figures) {
    this.figures.textContent = describe(figures);
    this.#end("whole");
    if (!this.live.text) this.warn("The answer is empty.");
    await this.live.settle();
  }

  /**
   * @param {"stopped" | "broken" | "refused"} state
   * @param {string} text what more there is to say
   */
  async fail(state, text = "") {
    this.#end(state);
    this.note.replaceChildren(make("p", {}, make("strong", {}, NOTES[state]), ` ${text}`));
    const again = makeButton("Try again", "again", this.#again, { showsLabel: true });
    this.note.append(again);
    await this.live.settle();
  }

  /** Say that something else went wrong; the answer stays. */
  warn(text) {
    this.note.replaceChildren(make("p", {}, text));
  }

  #end(state) {
    this.element.dataset.state = state;
    if (this.live.text) this.actions.append(copyButton("Copy the answer", () => this.live.text));
    if (this.request) {
      const command = () => curlOf(this.request);
      this.actions.append(copyButton("Copy as curl", command, { drawing: "shell" }));
    }
    if (state === "whole") this.actions.append(makeButton("Answer anew", "again", this.#again));
  }

  #again = () => this.onAgain(this.question);

  #showQuestion() {
    const edit = makeButton("Edit the question", "pen", () => this.#editQuestion());
    const text = make("p", { class: "bubble", dir: "auto" }, this.question);
    this.asked.replaceChildren(make("h2", { class: "unseen" }, "You"), text, edit);
  }

  #editQuestion() {
    const box = make("textarea", { class: "box", dir: "auto", "aria-label": "The question anew" });
    const form = make("form", { class: "edit" }, box);
    const send = make("button", { class: "button primary", type: "submit" }, "Send");
    const cancel = make("button", { class: "button quiet", type: "button" }, "Cancel");
    const close = () => {
      this.#showQuestion();
      this.asked.querySelector("button").focus();
    };
    form.append(make("div", { class: "edit-buttons" }, send, cancel));
    box.value = this.question;
    cancel.addEventListener("click", close);
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close();
      if (event.key === "Enter" && !event.shiftKey && event.target === box && !event.isComposing) {
        event.preventDefault();
        form.requestSubmit();
      }
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (box.value.trim()) this.onAgain(box.value); // which takes this exchange away
    });
    this.asked.replaceChildren(form);
    growWithText(box)();
    box.focus();
  }
}
