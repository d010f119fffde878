// Stands in the bundle for what libraries bring and nothing here calls (build.mjs), more than half of its text: of
// Kubernetes' client undici, by which it would fetch (we ask with node:https), and the models of all objects; of Express
// body-parser (we read bodies ourselves, with limits: src/http/read-body.ts).

function missing(): never {
  throw new Error("arc-primer's bundle leaves this library out: see src/not-bundled.ts");
}

export const [fetch, json, raw, text, urlencoded] = [missing, missing, missing, missing, missing];
export const [Agent, ProxyAgent] = [missing, missing];
export const [createConfiguration, ServerConfiguration] = [missing, missing];
