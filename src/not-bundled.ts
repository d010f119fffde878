// Stands in the bundle for libraries of our libraries that nothing here calls (build.mjs), a third of its text: undici, by
// which Kubernetes' client would fetch (we ask with node:https), and body-parser, by which Express would read bodies (we
// do it ourselves, with limits: src/http/read-body.ts).

function missing(): never {
  throw new Error("arc-primer's bundle leaves this library out: see src/not-bundled.ts");
}

export const [fetch, json, raw, text, urlencoded] = [missing, missing, missing, missing, missing];
export const [Agent, ProxyAgent] = [missing, missing];
