// The `openai` package for Node before the local model.

import OpenAI from "openai";

import { KEY, URL, report } from "./reporting.mjs";

const client = new OpenAI({ baseURL: URL, apiKey: KEY, maxRetries: 0 });
const messages = [{ role: "user", content: "What is the capital of France?" }];
const question = { model: "gpt-4o", messages };

await report({
  async whole() {
    const reply = await client.chat.completions.create(question);
    return [reply.choices[0].message.content, reply.model, reply.usage.total_tokens];
  },
  async pieces() {
    const options = { stream: true, stream_options: { include_usage: true } };
    let text = "";
    let last;
    for await (last of await client.chat.completions.create({ ...question, ...options })) {
      text += last.choices[0]?.delta.content ?? "";
    }
    return [text, last.model, last.usage.total_tokens];
  },
  async vectors() {
    const reply = await client.embeddings.create({ model: "smollm2-135m", input: ["Hi", "there"] });
    return reply.data.map(({ embedding }) => embedding.length);
  },
});
