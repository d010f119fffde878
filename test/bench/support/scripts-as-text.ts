// node --import this: shell scripts are imported as text, as the bundle and the tests see them.

import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { podScript } from "../../../scripts/pod-script.ts";

registerHooks({
  load(url, context, next) {
    if (!url.endsWith(".sh")) return next(url, context);
    const source = `export default ${JSON.stringify(podScript(fileURLToPath(url)))};`;
    return { format: "module", source, shortCircuit: true };
  },
});
