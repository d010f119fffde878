import { cliReference } from "./cli-reference.ts";
import { configurationReference } from "./configuration-reference.ts";
import { doctorReference } from "./doctor-reference.ts";
import { metricsReference } from "./metrics-reference.ts";
import { reasonsReference } from "./reasons-reference.ts";

/** The pages of docs/reference that are made from the code: file name and text, before prettier. */
export async function referencePages(): Promise<Map<string, string>> {
  return new Map([
    ["configuration.md", configurationReference()],
    ["reasons.md", reasonsReference()],
    ["metrics.md", await metricsReference()],
    ["cli.md", cliReference()],
    ["doctor.md", doctorReference()],
  ]);
}
