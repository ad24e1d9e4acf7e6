// The `openai` package for Node: Responses and Conversations.

import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";

import { KEY, MODEL, PNG, URL, WEATHER, report } from "./reporting.mjs";

const client = new OpenAI({ baseURL: URL, apiKey: KEY, maxRetries: 0 });
const { responses } = client;
const tool = { type: "function", name: "weather", parameters: WEATHER, strict: true };
const weather = z.object({ city: z.string(), days: z.number().int() });
const text = { format: zodTextFormat(weather, "weather") };

const asking = (input, options = {}) => ({ model: MODEL, input, ...options });
const ask = (input, options) => responses.create(asking(input, options));
const callsOf = ({ output }) =>
  output.filter(({ type }) => type === "function_call").map((call) => [call.name, call.arguments]);
const resultsOf = ({ output }) =>
  output.map(({ call_id }) => ({ type: "function_call_output", call_id, output: "22 degrees" }));

async function collect(stream) {
  const found = [];
  for await (const event of stream) found.push(event);
  return found;
}

const kindsOf = async (stream) =>
  (await collect(stream)).map(({ type }) => type.replace("response.", ""));

async function finished(response) {
  while (["queued", "in_progress"].includes(response.status)) {
    await new Promise((wake) => setTimeout(wake, 50));
    response = await responses.retrieve(response.id);
  }
  return response;
}

await report({
  async whole() {
    const response = await ask("Hi");
    return [response.output_text, response.status, response.usage.total_tokens];
  },
  instructions: async () => (await ask("history", { instructions: "Be brief." })).output_text,
  pieces: async () => kindsOf(await ask("Hi", { stream: true })),
  async stream_helper() {
    const stream = responses.stream(asking("one two"));
    const deltas = [];
    stream.on("response.output_text.delta", ({ delta }) => deltas.push(delta));
    return [deltas, (await stream.finalResponse()).output_text];
  },
  parsed: async () => (await responses.parse(asking("Hi", { text }))).output_parsed,
  async parsed_in_pieces() {
    return (await responses.stream(asking("Hi", { text })).finalResponse()).output_parsed;
  },
  tools: async () => callsOf(await ask("Hi", { tools: [tool] })),
  tools_in_pieces: async () => kindsOf(await ask("Hi", { tools: [tool], stream: true })),
  async tools_by_the_stream_helper() {
    return callsOf(await responses.stream(asking("Hi", { tools: [tool] })).finalResponse());
  },
  async tool_results_by_the_previous_id() {
    const first = await ask("Hi", { tools: [tool] });
    const options = { tools: [tool], previous_response_id: first.id };
    return (await ask(resultsOf(first), options)).output_text;
  },
  async conversation_by_previous_ids() {
    let last;
    for (const prompt of ["Hi", "there", "history"]) {
      const options = { previous_response_id: last?.id };
      last = await responses.stream(asking(prompt, options)).finalResponse();
    }
    return last.output_text;
  },
  async conversation() {
    const { id } = await client.conversations.create({});
    await ask("Hi", { conversation: id });
    return (await ask("history", { conversation: id })).output_text;
  },
  async retrieved() {
    const { id } = await ask("Hi", { metadata: { topic: "x" } });
    const found = await responses.retrieve(id);
    const inputs = (await responses.inputItems.list(id)).data;
    return [found.output_text, found.metadata, inputs.map(({ content }) => content[0].text)];
  },
  async deleted() {
    const { id } = await ask("Hi");
    await responses.delete(id);
    return responses.retrieve(id);
  },
  async picture() {
    const parts = [
      { type: "input_text", text: "What?" },
      { type: "input_image", image_url: PNG, detail: "auto" },
    ];
    return (await ask([{ role: "user", content: parts }])).output_text;
  },
  async incomplete() {
    const response = await ask("long");
    return [response.status, response.incomplete_details.reason];
  },
  async broken_stream() {
    const last = (await collect(await ask("cut", { stream: true }))).at(-1);
    return [last.type, last.response.status];
  },
  background: async () => (await finished(await ask("Hi", { background: true }))).output_text,
  async background_that_is_resumed() {
    const events = await collect(await ask("Hi", { background: true, stream: true }));
    const { id } = events[0].response;
    const again = await responses.retrieve(id, { stream: true, starting_after: 1 });
    const numbers = (await collect(again)).map((event) => event.sequence_number);
    return numbers.join() === events.slice(2).map((event) => event.sequence_number).join();
  },
  async background_that_is_cancelled() {
    const { id } = await ask("wait", { background: true });
    return (await responses.cancel(id)).status;
  },
  unknown_previous_id: () => ask("bad", { previous_response_id: "resp_unknown" }),
  hosted_tool: () => ask("bad", { tools: [{ type: "web_search" }] }),
  wrong_key: () => client.withOptions({ apiKey: "wrong" }).responses.create(asking("Hi")),
  status_429: () => ask("status 429"),
  status_500: () => ask("status 500"),
});
