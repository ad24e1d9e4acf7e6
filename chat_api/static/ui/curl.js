/** A request as a command for a shell. */

import { keyHeaders } from "./key.js";

/** @param {object} request the body of `POST /api/chat` */
export function curlOf(request) {
  const lines = [
    `curl -N ${quoted(`${location.origin}/api/chat`)}`,
    "-H 'content-type: application/json'",
    "-H 'accept: text/event-stream'",
    `-d ${quoted(JSON.stringify(request))}`,
  ];
  // The key itself stays where it is: what is copied is pasted anywhere.
  if ("x-api-key" in keyHeaders()) lines.splice(3, 0, '-H "x-api-key: $API_KEY"');
  return lines.join(" \\\n  ");
}

const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
