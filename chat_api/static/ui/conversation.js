/** One chat: its exchanges, and the answer that is under way. */

import { ask, BrokenAnswer } from "./answers.js";
import { ApiError, callJson } from "./api.js";
import * as chats from "./chats.js";
import { confirmed } from "./confirm.js";
import { announce, make } from "./dom.js";
import { Exchange } from "./exchange.js";
import { textOf } from "./exports.js";
import { render } from "./markdown.js";
import { cannotBeOpened, wordsOf } from "./refusals.js";
import { forgetFrom, pathOf } from "./sessions.js";

export class Conversation {
  element = make("div", { class: "conversation" });
  /** Whether the server is asked for what it has, or has to drop some: nothing is asked meanwhile. */
  isLoading = false;
  #exchanges = [];
  /** Messages that the server has of this chat. */
  #stored = 0;
  #abort = null;
  #isKnown; // whether what the server has of this chat is shown

  /**
   * @param {string | null} id the session's; a new one gets it with its first answer
   * @param {{model: () => string | undefined, onChange: () => void, onGrow: () => void, onReplaced: () => void}} page
   */
  constructor(id, page) {
    this.id = id;
    this.page = page;
    /** What the model is told before all else. */
    this.instructions = "";
    this.#isKnown = id === null;
  }

  get isAnswering() {
    return this.#abort !== null;
  }

  /** The question whose answer is under way, or "". */
  get unanswered() {
    return this.isAnswering ? this.#exchanges.at(-1).question : "";
  }

  get isEmpty() {
    return this.element.childElementCount === 0;
  }

  get title() {
    return (this.id && chats.titleOf(this.id)) ?? "New chat";
  }

  /**
   * Show what the server remembers, or why it cannot be shown.
   * @returns {Promise<ApiError | null>}
   */
  load() {
    const failed = (error) => {
      if (!(error instanceof ApiError)) throw error;
      this.element.replaceChildren(cannotBeOpened(error, () => this.load()));
      return error;
    };
    return this.#whileLoading(() => this.#load().then(() => null, failed));
  }

  async #whileLoading(work) {
    this.isLoading = true;
    this.page.onChange();
    try {
      return await work();
    } finally {
      this.isLoading = false;
      this.page.onChange();
    }
  }

  async #load() {
    const session = await callJson(pathOf(this.id));
    this.instructions = session.developer_message ?? "";
    this.element.replaceChildren();
    session.messages.forEach(({ role, content }, index) => {
      if (role === "user") this.#add(textOf(content), index, true);
      else if (!this.isEmpty) this.#exchanges.at(-1).live.text += textOf(content);
    });
    const texts = this.#exchanges.map((exchange) => exchange.live.text);
    const rendered = await render(texts);
    this.#exchanges.forEach((exchange, number) => exchange.show(rendered[number]));
    this.#stored = session.messages.length;
    this.#isKnown = true;
  }

  /**
   * Ask, and show the answer as it comes. Failures are shown where the answer would be.
   * @returns {Promise<boolean>} false: nothing was asked, since the chat cannot be opened
   */
  async ask(question) {
    // The instructions go with the question: sent unknown, they would be taken away on the server.
    const refusal = this.#isKnown ? null : await this.load();
    if (refusal && !refusal.isLostSession) return false;
    if (refusal) this.#lose();
    const exchange = this.#add(question, this.#stored, false);
    exchange.request = {
      user_message: question,
      developer_message: this.instructions,
      model: this.page.model(),
      ...(this.id && { session_id: this.id }),
    };
    this.#abort = new AbortController();
    this.element.classList.add("is-answering");
    this.page.onChange();
    announce("The answer is being written.");
    const told = {
      signal: this.#abort.signal,
      onSession: (id) => this.#began(id, question),
      onPiece: (piece) => exchange.append(piece),
    };
    const outcome = await ask(exchange.request, told).catch((error) => error);
    this.#abort = null;
    this.element.classList.remove("is-answering");
    this.page.onChange();
    await this.#show(exchange, outcome);
    return true;
  }

  /** End the answer that is under way: the server is told by the closed connection. */
  stop() {
    this.#abort?.abort();
  }

  #began(id, question) {
    this.id = id;
    chats.use(id, chats.titleFor(question));
    this.page.onChange();
  }

  async #show(exchange, outcome) {
    if (!(outcome instanceof Error)) {
      exchange.isStored = true;
      this.#stored += 2;
      await exchange.finish(outcome);
      announce(exchange.live.element.textContent);
    } else if (outcome.name === "AbortError") {
      await exchange.fail("stopped");
    } else if (outcome instanceof BrokenAnswer) {
      await exchange.fail("broken", outcome.message);
    } else if (outcome instanceof ApiError) {
      if (outcome.isLostSession) this.#lose();
      await exchange.fail("refused", wordsOf(outcome));
    } else {
      await exchange.fail("broken", "This page failed.");
      throw outcome;
    }
  }

  /** The session is gone: what is shown here is nowhere else, and what is asked begins another. */
  #lose() {
    this.element.querySelector(":scope > .note")?.remove();
    this.id = null;
    this.#isKnown = true;
    this.#stored = 0;
    for (const exchange of this.#exchanges) exchange.isStored = false;
  }

  /** Ask at the place of an exchange, which goes with all that follows it. */
  async #again(exchange, question) {
    if (this.isAnswering || this.isLoading) return;
    const place = this.#exchanges.indexOf(exchange);
    const following = this.#exchanges.length - place - 1;
    const text = "What follows in this chat goes away, here and on the server.";
    if (following && !(await confirmed("Answer this anew?", text, "Answer anew"))) return;
    try {
      await this.#whileLoading(() => this.#forget(place));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      exchange.warn(`${wordsOf(error)} Nothing has changed.`);
      return;
    }
    for (const gone of this.#exchanges.splice(place)) gone.element.remove();
    this.page.onReplaced();
    await this.ask(question);
  }

  /** Have the server forget the exchanges from this place on. */
  async #forget(place) {
    const first = this.#exchanges.slice(place).find((exchange) => exchange.isStored);
    if (!first || !this.id) return;
    this.#stored = await forgetFrom(this.id, first);
  }

  #add(question, index, isStored) {
    const exchange = new Exchange(question, {
      onAgain: (text) => this.#again(exchange, text),
      onGrow: this.page.onGrow,
    });
    Object.assign(exchange, { index, isStored });
    this.#exchanges.push(exchange);
    this.element.append(exchange.element);
    return exchange;
  }
}
