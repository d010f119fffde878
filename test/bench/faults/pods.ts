import { readdirSync } from "node:fs";
import type { Pod } from "../../../src/pod/types.ts";
import { goldenPod } from "../../support/pods.ts";

/** The pods of all golden tests. */
export const pods: readonly Pod[] = readdirSync(new URL("../../golden/", import.meta.url)).map((name) =>
  goldenPod(name),
);
