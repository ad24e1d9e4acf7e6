// Runs the script of an example page as it stands, with as much of a document as it uses.
//
//   node page.mjs PAGE SERVER KEY MESSAGE…
//
// Sends each message when the answer before it is over; one that begins with "[stop]" is stopped
// after its first pieces. Prints what the page then shows, and what it sent, as JSON.

import { readFile } from "node:fs/promises";

class Element {
  value = "";
  textContent = "";
  disabled = false;
  children = [];
  #listeners = {};

  addEventListener(type, listener) {
    this.#listeners[type] = listener;
  }
  dispatch(type) {
    return this.#listeners[type]({ preventDefault() {} });
  }
  append(child) {
    this.children.push(child);
  }
}

const [page, server, key, ...messages] = process.argv.slice(2);
const html = await readFile(page, "utf8");
const elements = {};
for (const [tag, id] of html.matchAll(/<[a-z]+[^>]*\bid="(\w+)"[^>]*>/g)) {
  elements[id] = Object.assign(new Element(), {
    value: tag.match(/\bvalue="([^"]*)"/)?.[1] ?? "",
    disabled: /\bdisabled\b/.test(tag),
  });
}
const document = {
  createElement: () => new Element(),
  getElementById(id) {
    if (!elements[id]) throw new Error(`no element has the id ${id}`);
    return elements[id];
  },
};

const sent = [];
const spied = (url, options) => {
  sent.push({ url, ...JSON.parse(options.body) });
  return fetch(url, options);
};
const script = html.match(/<script type="module">(.*)<\/script>/s)[1];
new Function("document", "fetch", script)(document, spied);

const statuses = [];
elements.server.value = server;
elements.key.value = key;
for (const message of messages) {
  elements.message.value = message.replace("[stop]", "");
  const over = elements.form.dispatch("submit");
  if (message.startsWith("[stop]")) {
    const answer = elements.conversation.children.at(-1);
    while (!answer.textContent) await new Promise((resolve) => setTimeout(resolve, 5));
    elements.stop.dispatch("click");
  }
  await over;
  statuses.push(elements.status.textContent);
}
const shown = elements.conversation.children.map(({ className, textContent }) => [
  className,
  textContent,
]);
const idle = !elements.send.disabled && elements.stop.disabled;
console.log(JSON.stringify({ shown, statuses, sent, idle }));
