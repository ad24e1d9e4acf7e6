/** What an answer took, as a line of text. */

/**
 * @param {import("./answers.js").Figures} figures
 */
export function describe({ firstSeconds, totalSeconds, model, usage }) {
  const parts = [];
  if (model) parts.push(model);
  if (firstSeconds !== null) parts.push(`first words ${inSeconds(firstSeconds)}`);
  parts.push(`${inSeconds(totalSeconds)} in all`);
  if (usage) {
    const { prompt_tokens: asked, completion_tokens: answered } = usage;
    parts.push(`${asked} + ${answered} tokens`);
    const writing = totalSeconds - (firstSeconds ?? 0);
    if (answered > 1 && writing > 0.05) parts.push(`${Math.round(answered / writing)} a second`);
  }
  return parts.join(" · ");
}

const inSeconds = (seconds) => `${seconds.toFixed(seconds < 10 ? 2 : 0)} s`;
