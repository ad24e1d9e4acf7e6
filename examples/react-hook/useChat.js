// A React hook for a streamed chat.
//
//   const { messages, error, isBusy, send, stop } = useChat({ server: "http://localhost:5000" });
//
// `messages` are `{ role, content, state }`; `state` is "whole", "coming", "stopped" or "broken",
// and `error` says why the last one is broken. `apiKey` is the server's key where it wants one: do
// not ship it to strangers, have a server of yours add it.

import { useCallback, useEffect, useRef, useState } from "react";

export function useChat({ server = "", apiKey, model } = {}) {
  const [messages, setMessages] = useState([]);
  const [error, setError] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const controller = useRef(null);

  const stop = useCallback(() => controller.current?.abort(), []);
  useEffect(() => stop, [stop]); // nobody reads on when the component is gone

  const send = useCallback(
    async (text) => {
      if (controller.current) return; // one answer at a time
      controller.current = new AbortController();
      const { signal } = controller.current;
      // Of an exchange that is not whole the model is told nothing.
      const history = messages.filter(({ state }) => state === "whole");
      const change = (answer, question = {}) =>
        setMessages((all) => [
          ...all.slice(0, -2),
          { ...all.at(-2), ...question },
          { ...all.at(-1), ...answer },
        ]);
      setMessages([
        ...messages,
        { role: "user", content: text, state: "coming" },
        { role: "assistant", content: "", state: "coming" },
      ]);
      setError(null);
      setBusy(true);
      let content = "";
      try {
        const body = {
          message: text,
          messages: history.map(({ role, content }) => ({ role, content })),
          ...(model && { model }),
        };
        for await (const piece of pieces(server, apiKey, body, signal)) {
          content += piece;
          change({ content });
        }
        change({ state: "whole" }, { state: "whole" });
      } catch (reason) {
        const state = signal.aborted ? "stopped" : "broken";
        change({ state }, { state });
        if (!signal.aborted) setError(reason);
      } finally {
        controller.current = null;
        setBusy(false);
      }
    },
    [messages, server, apiKey, model],
  );

  return { messages, error, isBusy, send, stop };
}

/** The pieces of an answer. Throws where it is not whole. */
async function* pieces(server, apiKey, body, signal) {
  const response = await fetch(`${server}/chat/stream`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(apiKey && { "x-api-key": apiKey }) },
    body: JSON.stringify(body),
    signal,
  });
  if (!response.ok) {
    const told = await response.json().catch(() => ({})); // a proxy's error page is no JSON
    throw new Error(told.error ?? `status ${response.status}`);
  }
  for await (const event of events(response.body)) {
    if (event.error) throw new Error(event.error);
    if (event.done) return;
    yield event.content;
  }
  throw new Error("the stream ended too early");
}

/** The data of server-sent events. Comments (`: ping`) say that the server is still there. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const frames = (rest + value).split("\n\n");
      rest = frames.pop(); // a read may end anywhere
      for (const frame of frames) {
        if (frame.startsWith("data: ")) yield JSON.parse(frame.slice(6));
      }
    }
  } finally {
    reader.cancel().catch(() => {}); // whoever stops reading hangs up
  }
}
