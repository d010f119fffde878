// For `node --import`: imports shell scripts as text, as in the bundle and in the tests.

import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { podScriptModule } from "../../../scripts/pod-script.ts";

registerHooks({
  load(url, context, next) {
    if (!url.endsWith(".sh")) return next(url, context);
    return { format: "module", source: podScriptModule(fileURLToPath(url)), shortCircuit: true };
  },
});
