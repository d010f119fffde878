// node --import this: shell scripts are imported as text, as the bundle and the tests see them.

import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { podScriptModule } from "../../../scripts/pod-script.ts";

registerHooks({
  load(url, context, next) {
    if (!url.endsWith(".sh")) return next(url, context);
    return { format: "module", source: podScriptModule(fileURLToPath(url)), shortCircuit: true };
  },
});
