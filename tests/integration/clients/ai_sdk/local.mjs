// The AI SDK before the local model.

import { createOpenAI } from "@ai-sdk/openai";
import { embedMany, generateText, streamText } from "ai";

import { KEY, URL, report } from "./reporting.mjs";

const openai = createOpenAI({ baseURL: URL, apiKey: KEY });
const question = {
  model: openai.chat("gpt-4o"),
  prompt: "What is the capital of France?",
  maxRetries: 0,
};

await report({
  async whole() {
    const { text, response, usage } = await generateText(question);
    return [text, response.modelId, usage.totalTokens];
  },
  async pieces() {
    const result = streamText(question);
    let text = "";
    for await (const piece of result.textStream) text += piece;
    return [text, (await result.response).modelId, (await result.usage).totalTokens];
  },
  async vectors() {
    const model = openai.embedding("smollm2-135m");
    const { embeddings } = await embedMany({ model, values: ["Hi", "there"] });
    return embeddings.map((vector) => vector.length);
  },
});
