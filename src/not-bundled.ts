// Stands in the bundle for what libraries bring and nothing here calls (build.mjs), half of its text:
// - undici, by which Kubernetes' client would fetch: we ask with node:https
// - that client's models of all objects: we read and write two, as plain JSON (src/tls/self-managed/cluster.ts)
// - body-parser, by which Express would read bodies: we do, with limits (src/webhook/body.ts)

function missing(): never {
  throw new Error("arc-primer's bundle leaves this library out: see src/not-bundled.ts");
}

export const [fetch, json, raw, text, urlencoded] = [missing, missing, missing, missing, missing];
export const [Agent, ProxyAgent] = [missing, missing];
export const [createConfiguration, ServerConfiguration] = [missing, missing];
