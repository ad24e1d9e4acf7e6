// The AI SDK on Responses, which is what `openai(…)` asks for.

import { createOpenAI } from "@ai-sdk/openai";
import { Output, generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

import { KEY, MODEL, PNG, URL, WEATHER, report } from "./reporting.mjs";

const openai = createOpenAI({ baseURL: URL, apiKey: KEY });
const model = openai(MODEL);
const asking = (prompt, options = {}) => ({ model, prompt, maxRetries: 0, ...options });
const weather = z.object({ city: z.string(), days: z.number().int() });
const tools = {
  weather: tool({ inputSchema: jsonSchema(WEATHER), execute: async ({ city }) => `22 in ${city}` }),
};

async function collect(stream) {
  const found = [];
  for await (const piece of stream) found.push(piece);
  return found;
}

async function streamed(prompt, options) {
  let failure;
  const onError = ({ error }) => (failure = error);
  const result = streamText(asking(prompt, { onError, ...options }));
  const texts = await collect(result.textStream);
  if (failure) throw failure;
  return { texts, result };
}

await report({
  async whole() {
    const { text, finishReason, usage } = await generateText(asking("Hi"));
    return [text, finishReason, usage.totalTokens];
  },
  async pieces() {
    const { texts, result } = await streamed("one two");
    return [texts, await result.finishReason, (await result.usage).totalTokens];
  },
  async parts_of_a_stream() {
    const parts = await collect(streamText(asking("Hi")).fullStream);
    return parts.map(({ type }) => type);
  },
  async schema() {
    const output = Output.object({ schema: weather });
    return (await generateText(asking("Hi", { output }))).output;
  },
  async tools() {
    const { toolCalls, finishReason } = await generateText(asking("Hi", { tools }));
    return [toolCalls.map(({ toolName, input }) => [toolName, input]), finishReason];
  },
  async tools_that_are_run() {
    const { text, steps } = await generateText(asking("Hi", { tools, stopWhen: stepCountIs(3) }));
    return [text, steps.length];
  },
  async tools_that_are_run_in_pieces() {
    const { texts } = await streamed("Hi", { tools, stopWhen: stepCountIs(3) });
    return texts.join("");
  },
  async conversation() {
    const { providerMetadata } = await generateText(asking("Hi"));
    const previousResponseId = providerMetadata.openai.responseId;
    const providerOptions = { openai: { previousResponseId } };
    return (await generateText(asking("history", { providerOptions }))).text;
  },
  async thought() {
    return (await generateText(asking("think"))).text;
  },
  async picture() {
    const content = [
      { type: "text", text: "What?" },
      { type: "image", image: PNG.split(",")[1], mediaType: "image/png" },
    ];
    const { text } = await generateText({ model, messages: [{ role: "user", content }] });
    return text;
  },
  system: async () => (await generateText(asking("history", { system: "Be brief." }))).text,
  cut_at_its_limit: async () => (await generateText(asking("long"))).finishReason,
  wrong_key: () =>
    generateText(asking("Hi", { model: createOpenAI({ baseURL: URL, apiKey: "no" })(MODEL) })),
  status_404: () => generateText(asking("status 404")),
  status_429: () => generateText(asking("status 429")),
  broken_stream: () => streamed("cut"),
});
