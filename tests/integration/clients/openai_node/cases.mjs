// The `openai` package for Node: chats, errors, models, embeddings.

import OpenAI from "openai";
import { zodFunction, zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";

import { KEY, MODEL, PNG, URL, VECTORS, WEATHER, report } from "./reporting.mjs";

const client = new OpenAI({ baseURL: URL, apiKey: KEY, maxRetries: 0 });
const chats = client.chat.completions;
const weather = z.object({ city: z.string(), days: z.number().int() });
const format = zodResponseFormat(weather, "weather");

const say = (content) => [{ role: "user", content }];
const asking = (prompt, options = {}) => ({ model: MODEL, messages: say(prompt), ...options });
const named = (prompt) => ({ headers: { "X-Request-ID": `id-of-${prompt.replaceAll(" ", "-")}` } });
const ask = (prompt, options) => chats.create(asking(prompt, options), named(prompt));
const tool = (name) => ({ type: "function", function: { name, parameters: WEATHER, strict: true } });
const callsOf = (message) =>
  message.tool_calls.map((call) => [call.id, call.function.name, call.function.arguments]);

async function deltas(stream) {
  const found = [];
  for await (const chunk of stream) found.push(chunk.choices[0]?.delta.content ?? null);
  return found;
}

await report({
  async whole() {
    const reply = await ask("Hi");
    const [choice] = reply.choices;
    return [choice.message.content, choice.finish_reason, reply.usage.total_tokens];
  },
  request_id_of_a_whole_reply: async () => (await ask("Hi"))._request_id,
  pieces: async () => deltas(await ask("one two", { stream: true })),
  async pieces_with_usage() {
    const usage = [];
    const options = { stream: true, stream_options: { include_usage: true } };
    for await (const chunk of await ask("Hi", options)) usage.push(chunk.usage);
    return [usage.slice(0, -1), usage.at(-1).total_tokens];
  },
  async stream_helper() {
    const stream = chats.stream(asking("one two"));
    const contents = [];
    stream.on("content", (piece) => contents.push(piece));
    const reply = await stream.finalChatCompletion();
    return [contents, reply.choices[0].message.content];
  },
  async parsed() {
    const reply = await chats.parse(asking("Hi", { response_format: format }));
    return reply.choices[0].message.parsed;
  },
  async parsed_in_pieces() {
    const stream = chats.stream(asking("Hi", { response_format: format }));
    return (await stream.finalChatCompletion()).choices[0].message.parsed;
  },
  async tools() {
    const [choice] = (await ask("Hi", { tools: [tool("weather")] })).choices;
    return [callsOf(choice.message), choice.finish_reason];
  },
  async parallel_tools_in_pieces() {
    const stream = chats.stream(asking("Hi", { tools: [tool("weather"), tool("tides")] }));
    const [choice] = (await stream.finalChatCompletion()).choices;
    return [callsOf(choice.message), choice.finish_reason];
  },
  async tools_that_are_run() {
    const asked = [];
    const run = (given) => asked.push(given) && "22 degrees";
    const tools = [zodFunction({ name: "weather", parameters: weather, function: run })];
    const runner = chats.runTools(asking("Hi", { tools }));
    return [await runner.finalContent(), asked];
  },
  async picture() {
    const parts = [
      { type: "text", text: "What?" },
      { type: "image_url", image_url: { url: PNG } },
    ];
    return (await chats.create(asking(parts))).choices[0].message.content;
  },
  refusal: async () => (await ask("refuse")).choices[0].message.refusal,
  several_answers: async () => (await ask("Hi", { n: 3 })).choices.map(({ index }) => index),
  broken_stream: async () => deltas(await ask("cut", { stream: true })),
  cut_at_its_limit: () => chats.parse(asking("long", { response_format: format })),
  async headers() {
    const { response } = await chats.create(asking("Hi"), named("Hi")).withResponse();
    return [response.headers.get("x-request-id"), response.headers.get("x-upstream")];
  },
  models: async () => (await client.models.list()).data.slice(0, 2).map(({ id }) => id),
  one_model: async () => (await client.models.retrieve(VECTORS)).id,
  no_model: () => client.models.retrieve("no/such"),
  async vectors() {
    const reply = await client.embeddings.create({ model: VECTORS, input: ["a", "b"] });
    return [reply.data.map(({ embedding }) => embedding), reply.usage.total_tokens];
  },
  async vectors_as_numbers() {
    const options = { model: VECTORS, input: "a", encoding_format: "float" };
    return (await client.embeddings.create(options)).data[0].embedding;
  },
  wrong_key: () => client.withOptions({ apiKey: "wrong" }).chat.completions.create(asking("Hi")),
  bad_field: () => ask("bad", { temperature: 3 }),
  status_404: () => ask("status 404"),
  status_422: () => ask("status 422"),
  status_429: () => ask("status 429"),
  status_429_in_pieces: () => ask("status 429", { stream: true }),
  status_500: () => ask("status 500"),
  no_route: () => client.files.list(),
});
