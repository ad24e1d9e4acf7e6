// A streamed answer with Vercel's AI SDK and its provider for OpenAI-compatible servers.
//
//   cd examples/ai-sdk && npm install && node chat.mjs "What is the capital of France?"
//
// CHAT_URL is the server's address, API_KEY its key where it wants one. Ctrl-C stops the answer.

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { streamText } from "ai";

const server = createOpenAICompatible({
  name: "chat-api",
  baseURL: `${process.env.CHAT_URL ?? "http://localhost:5000"}/v1`,
  apiKey: process.env.API_KEY,
  includeUsage: true,
});

const controller = new AbortController();
process.once("SIGINT", () => controller.abort());

const { fullStream } = streamText({
  model: server("gpt-4o-mini"),
  prompt: process.argv[2] ?? "What is the capital of France?",
  abortSignal: controller.signal,
  onError: () => {}, // told below
});

try {
  for await (const part of fullStream) {
    if (part.type === "text-delta") process.stdout.write(part.text);
    if (part.type === "error") throw part.error;
    if (part.type === "abort") throw new Error("stopped");
    if (part.type === "finish") {
      // "other": the stream ended and nobody had said why.
      if (part.finishReason === "other") throw new Error("the stream ended too early");
      process.stdout.write(`\n[${part.totalUsage.totalTokens} tokens]\n`);
    }
  }
} catch (error) {
  console.error(`\n[${controller.signal.aborted ? "stopped" : `broken: ${error.message}`}]`);
  process.exitCode = 1;
}
