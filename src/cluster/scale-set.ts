import type { Container, EnvVar, Pod } from "../pod/types.ts";

/** The cluster-wide API paths of ARC's resources (apis/actions.github.com/v1alpha1). */
export const arcPaths = {
  AutoscalingRunnerSet: "/apis/actions.github.com/v1alpha1/autoscalingrunnersets",
  EphemeralRunnerSet: "/apis/actions.github.com/v1alpha1/ephemeralrunnersets",
  EphemeralRunner: "/apis/actions.github.com/v1alpha1/ephemeralrunners",
} as const;

/** The API path of one of ARC's resources in a namespace. */
export function arcPath(kind: keyof typeof arcPaths, namespace: string): string {
  const [head, plural] = arcPaths[kind].split("/v1alpha1/");
  return `${head}/v1alpha1/namespaces/${encodeURIComponent(namespace)}/${plural}`;
}

/** An object of ARC, limited to the fields that are used here. */
export interface ArcObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
}

interface Metadata {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Template {
  readonly metadata?: Metadata;
  readonly spec?: Pod["spec"];
}

/** The spec of an EphemeralRunner, which the sets contain too: the pod template and the proxy settings. */
interface RunnerSpec extends Template {
  readonly proxy?: { readonly http?: object; readonly https?: object; readonly noProxy?: readonly string[] };
  readonly proxySecretRef?: string;
}

/**
 * The pod that ARC 0.14 would create for the next runner of an AutoscalingRunnerSet, an EphemeralRunnerSet or an
 * EphemeralRunner: labels, annotations, owner, and the environment that it gives the container `runner`
 * (controllers/actions.github.com/resourcebuilder.go and ephemeralrunner_controller.go). Values that are random (the suffix
 * of the name, hashes) or known only to GitHub (IDs) are omitted or invented: nothing in arc-primer depends on them.
 *
 * @param suffix the suffix of the pod's name, for which ARC uses five random characters
 * @returns undefined if the object is none of the three, or has no pod template
 */
export function podOfScaleSet(object: ArcObject, suffix = "xxxxx"): Pod | undefined {
  const runner = runnerOf(object, suffix);
  if (!runner?.spec.spec?.containers) return undefined;
  const { spec } = runner;
  const metadata = spec.metadata ?? {};
  const ownerReferences = [
    { apiVersion: "actions.github.com/v1alpha1", kind: "EphemeralRunner", name: runner.name, controller: true, uid },
  ];
  const environment = [...runnerEnvironment(runner.name), ...proxyEnvironment(spec, runner.name)];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: runner.name,
      ...(runner.namespace !== undefined && { namespace: runner.namespace }),
      labels: { ...runner.labels, ...metadata.labels, "actions-ephemeral-runner": "True" },
      annotations: { ...runner.annotations, ...metadata.annotations },
      ownerReferences,
    },
    spec: {
      ...runner.spec.spec,
      containers: runner.spec.spec.containers.map((container) => withEnvironment(container, environment)),
    },
  };
}

/** No object has this UID, so the garbage collector and ARC do not connect the pod to an EphemeralRunner. */
const uid = "00000000-0000-0000-0000-000000000000";

interface Runner {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: RunnerSpec;
}

/** The object itself if it is an EphemeralRunner, or the EphemeralRunner that ARC would create from it. */
function runnerOf({ kind, metadata, spec = {} }: ArcObject, suffix: string): Runner | undefined {
  const { name, namespace, labels = {}, annotations = {} } = metadata;
  if (kind === "EphemeralRunner") return { name, namespace, labels, annotations, spec };
  const ofSet = kind === "AutoscalingRunnerSet" ? setOf(metadata, spec) : { labels, annotations, spec };
  if (kind !== "AutoscalingRunnerSet" && kind !== "EphemeralRunnerSet") return undefined;
  const more = (ofSet.spec["ephemeralRunnerMetadata"] ?? {}) as Metadata;
  return {
    name: `${name}-runner-${suffix}`,
    namespace,
    labels: { ...more.labels, ...ofSet.labels, "app.kubernetes.io/component": "runner" },
    annotations: { ...more.annotations, ...ofSet.annotations, "actions.github.com/patch-id": "0" },
    spec: (ofSet.spec["ephemeralRunnerSpec"] ?? {}) as RunnerSpec,
  };
}

/** Labels, annotations and spec of the EphemeralRunnerSet that ARC creates from an AutoscalingRunnerSet. */
function setOf({ name, namespace = "", labels = {}, annotations = {} }: ArcObject["metadata"], spec: RunnerSetSpec) {
  const group = "actions.github.com/runner-group-name";
  const scaleSet = "actions.github.com/runner-scale-set-name";
  const more = spec.ephemeralRunnerSetMetadata ?? {};
  return {
    labels: {
      ...more.labels,
      ...labels,
      "app.kubernetes.io/part-of": "gha-runner-scale-set",
      // This is the name of the AutoscalingRunnerSet, not the name at GitHub (spec.runnerScaleSetName).
      "actions.github.com/scale-set-name": name,
      "actions.github.com/scale-set-namespace": namespace,
    },
    annotations: {
      ...more.annotations,
      ...(annotations[group] !== undefined && { [group]: annotations[group] }),
      ...(annotations[scaleSet] !== undefined && { [scaleSet]: annotations[scaleSet] }),
    },
    spec: {
      ephemeralRunnerMetadata: spec.ephemeralRunnerMetadata,
      ephemeralRunnerSpec: { ...spec.template, proxy: spec.proxy },
    } as Readonly<Record<string, unknown>>,
  };
}

interface RunnerSetSpec {
  readonly template?: Template;
  readonly proxy?: RunnerSpec["proxy"];
  readonly ephemeralRunnerMetadata?: Metadata;
  readonly ephemeralRunnerSetMetadata?: Metadata;
}

function withEnvironment(container: Container, environment: readonly EnvVar[]): Container {
  if (container.name !== "runner") return container;
  return { ...container, env: [...(container.env ?? []), ...environment] };
}

function runnerEnvironment(runner: string): EnvVar[] {
  return [
    { name: "ACTIONS_RUNNER_INPUT_JITCONFIG", valueFrom: { secretKeyRef: { name: runner, key: "jitToken" } } },
    { name: "GITHUB_ACTIONS_RUNNER_EXTRA_USER_AGENT", value: "actions-runner-controller/0.14.2" },
    { name: "ACTIONS_RUNNER_RETURN_VERSION_DEPRECATED_EXIT_CODE", value: "1" },
  ];
}

function proxyEnvironment({ proxy = {}, proxySecretRef }: RunnerSpec, runner: string): EnvVar[] {
  const secret = proxySecretRef ?? `${runner}-proxy`; // ARC creates it together with the EphemeralRunnerSet
  const names = [
    ...(proxy.http ? ["http_proxy"] : []),
    ...(proxy.https ? ["https_proxy"] : []),
    ...(proxy.noProxy?.length ? ["no_proxy"] : []),
  ];
  return names.map((name) => ({ name, valueFrom: { secretKeyRef: { name: secret, key: name } } }));
}
