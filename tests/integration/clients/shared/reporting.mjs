// What the clients' scripts for Node share: each case is run, and what it saw is printed.

export const URL = `${process.env.CHAT_URL}/v1`;
export const KEY = process.env.API_KEY;
export const MODEL = "gpt-4o-mini";
export const VECTORS = "text-embedding-3-small";
export const PNG =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA" +
  "WjR9awAAAABJRU5ErkJggg==";
export const WEATHER = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "integer" } },
  required: ["city", "days"],
  additionalProperties: false,
};
const TOLD = { status: "status_code", statusCode: "status_code", requestID: "request_id" };
for (const name of ["code", "param", "type"]) TOLD[name] = name;

/** Print what every case saw, as JSON; an exception's class and what it tells, too. */
export async function report(cases) {
  const seen = {};
  for (const [name, run] of Object.entries(cases)) {
    try {
      seen[name] = (await run()) ?? null;
    } catch (error) {
      seen[name] = { raised: error.constructor.name, text: String(error.message) };
      for (const [own, told] of Object.entries(TOLD)) {
        if (error[own] != null) seen[name][told] = error[own];
      }
    }
  }
  process.stdout.write(JSON.stringify(seen));
}
