// A streamed answer with Node (18 or newer) and no library.
//
//   node examples/node.mjs "What is the capital of France?"
//
// CHAT_URL is the server's address, API_KEY its key where it wants one. Ctrl-C stops the answer.

const SERVER = process.env.CHAT_URL ?? "http://localhost:5000";
const KEY = process.env.API_KEY;

/** The pieces of an answer. Throws where it is not whole. */
async function* pieces(body, signal) {
  const response = await fetch(`${SERVER}/chat/stream`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(KEY && { "x-api-key": KEY }) },
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
  let rest = "";
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const frames = (rest + text).split("\n\n");
    rest = frames.pop(); // a read may end anywhere
    for (const frame of frames) {
      if (frame.startsWith("data: ")) yield JSON.parse(frame.slice(6));
    }
  }
}

const controller = new AbortController();
process.once("SIGINT", () => controller.abort());
try {
  const message = process.argv[2] ?? "What is the capital of France?";
  for await (const piece of pieces({ message }, controller.signal)) process.stdout.write(piece);
  process.stdout.write("\n");
} catch (error) {
  console.error(controller.signal.aborted ? "\n[stopped]" : `\n[broken: ${error.message}]`);
  process.exitCode = 1;
}
