/** Markdown, rendered and sanitised by the server. The one module that turns text into HTML. */

import { ApiError, callJson } from "./api.js";
import { copyButton } from "./copy.js";
import { make } from "./dom.js";

/** What the server takes at once (services/rendering.py, schemas/rendering.py). */
const MOST_CHARACTERS = 100_000;
const MOST_TEXTS = 1000;

// The page's policy lets no other module write HTML, where the browser knows Trusted Types.
const policy = globalThis.trustedTypes?.createPolicy("rendered-markdown", {
  createHTML: (html) => html,
});

/**
 * Each text as a piece of a page; null for one that the server does not render: too long, or no
 * connection. As plain text it is as true.
 * @param {string[]} texts
 * @returns {Promise<(DocumentFragment | null)[]>}
 */
export async function render(texts) {
  const rendered = [];
  for (const batch of batches(texts)) {
    rendered.push(...(await renderBatch(batch)));
  }
  return rendered;
}

async function renderBatch(texts) {
  if (texts[0].length > MOST_CHARACTERS) return [null];
  try {
    const { html } = await callJson("/ui/render", { method: "POST", body: { texts } });
    return html.map(fragment);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return texts.map(() => null);
  }
}

/** Texts in their order, as many together as one call takes; one that is too long goes alone. */
function* batches(texts) {
  let batch = [];
  let size = 0;
  for (const text of texts) {
    if (batch.length && (size + text.length > MOST_CHARACTERS || batch.length === MOST_TEXTS)) {
      yield batch;
      [batch, size] = [[], 0];
    }
    batch.push(text);
    size += text.length;
  }
  if (batch.length) yield batch;
}

function fragment(html) {
  const template = document.createElement("template");
  template.innerHTML = policy ? policy.createHTML(html) : html;
  for (const table of template.content.querySelectorAll("table")) wrapTable(table);
  for (const code of template.content.querySelectorAll("pre > code")) addHead(code);
  return template.content;
}

/** A wide table scrolls by itself, by keys too. */
function wrapTable(table) {
  const wrapper = make("div", { class: "table", tabindex: "0", role: "region" });
  wrapper.setAttribute("aria-label", "Table");
  table.replaceWith(wrapper);
  wrapper.append(table);
}

/** The language and a button to copy, above a block of code. */
function addHead(code) {
  const block = code.parentElement;
  const language = code.dataset.language || "Code";
  const head = make("div", { class: "code-head" }, make("span", {}, language));
  head.append(copyButton("Copy this code", () => code.textContent));
  const frame = make("div", { class: "code" }, head);
  block.replaceWith(frame);
  block.tabIndex = 0; // it scrolls, so keys must be able to
  block.setAttribute("role", "region");
  block.setAttribute("aria-label", `Code, ${language}`);
  frame.append(block);
}
