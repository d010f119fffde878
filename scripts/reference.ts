import { chartReference } from "./chart-reference.ts";
import { cliReference } from "./cli-reference.ts";
import { configurationReference } from "./configuration-reference.ts";
import { doctorReference } from "./doctor-reference.ts";
import { metricsReference } from "./metrics-reference.ts";
import { reasonsReference } from "./reasons-reference.ts";

/** The pages of docs/reference that are generated from the code: file name and text, before formatting with prettier. */
export async function referencePages(): Promise<Map<string, string>> {
  return new Map([
    ["configuration.md", configurationReference()],
    ["reasons.md", reasonsReference()],
    ["metrics.md", await metricsReference()],
    ["cli.md", cliReference()],
    ["chart.md", chartReference()],
    ["doctor.md", doctorReference()],
  ]);
}
