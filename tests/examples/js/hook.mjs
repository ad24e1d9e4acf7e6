// Uses the hook as a component would, and prints what it saw as JSON.
//
//   node hook.mjs SERVER KEY

import { mount } from "./mount.mjs";
import { useChat } from "./useChat.js";

const [server, apiKey] = process.argv.slice(2);
const sent = [];
const { fetch } = globalThis;
globalThis.fetch = (url, options) => {
  sent.push({ ...JSON.parse(options.body), signal: options.signal });
  return fetch(url, options);
};

const chat = mount(() => useChat({ server, apiKey, model: "m" }));
const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
const last = () => chat.value.messages.at(-1) ?? { state: "none", content: "" };
/** Say it, and wait until its end is rendered: React does that in its own time. */
const say = async (text) => {
  const { length } = chat.value.messages;
  await chat.value.send(text);
  while (chat.value.messages.length === length || last().state === "coming" || chat.value.isBusy) {
    await pause();
  }
};
/** Do something as soon as the first pieces of an answer are there. */
const amid = async (interrupt) => {
  while (last().state !== "coming" || !last().content.includes("said")) await pause();
  interrupt();
};

await say("One");
await say("cut off [cut=1]");
const error = chat.value.error.message;
await say("Two");
const cleared = chat.value.error === null;
const stopping = amid(() => {
  chat.value.send("and nothing else meanwhile");
  chat.value.stop();
});
await say("stopped by hand a b c d [silence=60]");
await stopping;
const { messages, isBusy } = chat.value;
const leaving = amid(() => chat.unmount());
await chat.value.send("left alone a b c d [silence=60]");
await leaving;

const told = sent.map(({ message, messages, model }) => ({ message, messages, model }));
const aborted = sent.map(({ signal }) => signal.aborted);
console.log(JSON.stringify({ messages, error, cleared, isBusy, told, aborted }));
