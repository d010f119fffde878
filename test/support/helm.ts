import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, parseAllDocuments } from "yaml";
import { findTool } from "./tools.ts";

export const chartFolder = fileURLToPath(new URL("../../charts/arc-primer", import.meta.url));
/** The version in Chart.yaml, which is also the default tag of the image. */
export const chartVersion = (parse(readFileSync(join(chartFolder, "Chart.yaml"), "utf8")) as { version: string })
  .version;

/** Values for the chart, as plain data. */
export type Values = { [key: string]: unknown };

// Any object of the Kubernetes API. Tests access it as plain JSON.
// oxlint-disable-next-line typescript/no-explicit-any
export type Manifest = any;

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Helm with `input` as its standard input. */
export function helm(args: readonly string[], input = ""): Ran {
  const program = findTool("helm");
  if (!program) throw new Error("Helm was not found: test/cluster/tools.sh builds it");
  return spawnSync(program, args, { encoding: "utf8", input, maxBuffer: 64 * 1024 * 1024 });
}

/** `helm template` of the chart with these values and an image; as release `arc-primer` in namespace `primer-system`. */
export function template(values: Values, ...args: string[]): Ran {
  const fixed = ["template", "arc-primer", chartFolder, "--namespace", "primer-system", "--values", "-"];
  return helm([...fixed, ...args], JSON.stringify(withRepository(values)));
}

/** Adds the image repository to the values, which the chart in a checkout requires. */
export function withRepository(values: Values): Values {
  return { ...values, image: { repository: "arc-primer", ...(values["image"] as Values | undefined) } };
}

const rendered = new Map<string, Manifests>();

/**
 * The chart's manifests for these values; rendered once for each set of them.
 *
 * @throws {Error} with Helm's error message if it rejects the values
 */
export function render(values: Values = {}): Manifests {
  const key = JSON.stringify(values);
  const manifests = rendered.get(key) ?? renderUncached(values);
  rendered.set(key, manifests);
  return manifests;
}

function renderUncached(values: Values): Manifests {
  const { status, stdout, stderr } = template(values);
  if (status !== 0) throw new Error(stderr);
  return new Manifests(
    stdout,
    parseAllDocuments(stdout)
      .map((document) => document.toJS() as Manifest)
      .filter(Boolean),
  );
}

/** The rendered manifests, including hooks. */
export class Manifests {
  readonly text: string;
  readonly all: Manifest[];

  constructor(text: string, all: Manifest[]) {
    this.text = text;
    this.all = all;
  }

  kinds(): string[] {
    return [...new Set(this.all.filter((one) => !isHook(one)).map(({ kind }) => kind as string))].toSorted();
  }

  /** The only object of this kind, without hooks. If there are several, the one with this name. */
  one(kind: string, name?: string): Manifest {
    const found = this.all.filter((one) => one.kind === kind && !isHook(one) && (!name || one.metadata.name === name));
    if (found.length !== 1) throw new Error(`${found.length} objects are ${kind} ${name ?? ""}`);
    return found[0];
  }

  hook(kind: string): Manifest {
    return this.all.find((one) => one.kind === kind && isHook(one));
  }
}

function isHook(manifest: Manifest): boolean {
  return Boolean(manifest.metadata?.annotations?.["helm.sh/hook"]);
}
