/** A chat as a file. */

import { make } from "./dom.js";

const HEADINGS = { user: "You", assistant: "Assistant" };

/** @param {object} session as `GET /api/sessions/{id}` gives it */
export function saveAsMarkdown(session, title) {
  const parts = [`# ${title}`];
  if (session.developer_message) parts.push(`> ${session.developer_message.replaceAll("\n", "\n> ")}`);
  for (const { role, content } of session.messages) {
    parts.push(`## ${HEADINGS[role] ?? role}`, textOf(content));
  }
  save(`${fileName(title)}.md`, "text/markdown", `${parts.join("\n\n")}\n`);
}

/** As above. */
export function saveAsJson(session, title) {
  save(`${fileName(title)}.json`, "application/json", JSON.stringify({ title, ...session }, null, 2));
}

/** A message's text, of its text parts where it has parts. */
export function textOf(content) {
  if (!Array.isArray(content)) return content ?? "";
  return content.map((part) => part.text ?? "").join("\n");
}

function fileName(title) {
  const [beginning] = title.replace(/[^\p{L}\p{M}\p{N}]+/gu, "-").match(/^.{0,60}/u);
  return beginning.replace(/^-|-$/g, "") || "chat";
}

function save(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  make("a", { href: url, download: name }).click();
  URL.revokeObjectURL(url);
}
