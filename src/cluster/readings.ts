import type { Config } from "../config/schema.ts";
import type { Pod } from "../pod/types.ts";
import type { PodSecurity } from "../pod/pod-security.ts";
import type { Primed } from "../report/decision.ts";
import type { CreateResponse, ReadResult, Version } from "./connect.ts";
import type {
  EndpointSlice,
  Named,
  Namespace,
  Node,
  PodObject,
  Service,
  Webhook,
  WebhookConfiguration,
  Workload,
} from "./objects.ts";
import type { ArcObject } from "./scale-set.ts";

/** Everything that the checks need. It is read before any check runs, so that a check is a pure function. */
export interface Readings {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The version of this arc-primer. */
  readonly ownVersion: string;
  readonly version: ReadResult<Version>;
  /** The names of the API groups that the API server serves. */
  readonly apiGroups: ReadResult<readonly string[]>;
  readonly nodes: ReadResult<readonly Node[]>;
  readonly mutating: ReadResult<readonly WebhookConfiguration[]>;
  readonly validating: ReadResult<readonly WebhookConfiguration[]>;
  /** The number of ready addresses of each Service of another webhook, by `namespace/name`. */
  readonly backends: Readonly<Record<string, ReadResult<number>>>;
  /** The installation that arc-primer's webhook configuration belongs to; undefined if there is none. */
  readonly release: Release | undefined;
  readonly namespaces: ReadResult<readonly Namespace[]>;
  readonly scaleSets: ReadResult<readonly ArcObject[]>;
  /** The dry run of a pod with an image volume; undefined if there was no namespace for it. */
  readonly imageVolume: CreateResponse | undefined;
  /** The dry run of each scale set in a labelled namespace. */
  readonly dryRuns: readonly DryRun[];
  /** The objects that profiles reference, in the namespaces of the scale sets with these profiles. */
  readonly references: readonly Reference[];
  readonly runnerPods: ReadResult<readonly PodObject[]>;
}

/** An installation of arc-primer, found through its webhook configuration. */
export interface Release {
  readonly webhookConfiguration: WebhookConfiguration;
  /** The namespace of its Service; undefined if the webhook configuration uses a URL. */
  readonly namespace: string | undefined;
  readonly service: ReadResult<Service> | undefined;
  readonly endpoints: ReadResult<readonly EndpointSlice[]> | undefined;
  /** The Deployment whose pods the Service selects. */
  readonly deployment: ReadResult<Workload> | undefined;
  readonly replicas: ReadResult<readonly PodObject[]> | undefined;
  readonly caches: ReadResult<readonly Workload[]> | undefined;
  readonly bundleServers: ReadResult<readonly Workload[]> | undefined;
  readonly configuration: Configuration | undefined;
  /** The certificate and the responses of each replica. */
  readonly calls: readonly WebhookCall[];
}

/** The ConfigMap with the PrimerConfiguration, as the Deployment mounts it. */
export interface Configuration {
  readonly name: string;
  readonly text: ReadResult<string>;
  /** The parsed configuration, or its errors, one per line. */
  readonly parsed:
    { readonly config: Config; readonly warnings: readonly string[] } | { readonly error: string } | undefined;
}

/** The certificate and the responses of one replica, or of the URL in a webhook configuration. */
export interface WebhookCall {
  /** The pod's name, or the URL. */
  readonly name: string;
  readonly certificate: ReadResult<ServedCertificate>;
  /** The responses to the reviews, in the same order. */
  readonly responses: ReadResult<readonly string[]>;
  /** The responses that this version gives with the configuration in the ConfigMap; undefined without a configuration. */
  readonly expected: readonly string[] | undefined;
}

export interface ServedCertificate {
  /** Why the caBundle does not cover the certificate; undefined if it does. */
  readonly distrusted: string | undefined;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
  readonly notBefore: number;
}

/** The pod that ARC would create for a scale set, the decision of this version about it, and the API server's dry run. */
export interface DryRun {
  readonly scaleSet: ArcObject;
  readonly namespace: string;
  /** Undefined if the scale set has no template. */
  readonly pod: Pod | undefined;
  readonly podSecurity: PodSecurity;
  /** The result of this version with the configuration in the ConfigMap; undefined if that could not be read. */
  readonly primed: Primed | undefined;
  /** The API server's response to the dry run; undefined if there was none. */
  readonly response: CreateResponse | { readonly failed: string } | undefined;
}

/** An object that a profile references. */
export interface Reference {
  readonly kind: "Secret" | "ConfigMap" | "StorageClass";
  /** Empty for a StorageClass. */
  readonly namespace: string;
  readonly name: string;
  readonly key: string | undefined;
  /** The profile and its setting, such as `profile ci, docker.credentials.secret`. */
  readonly setting: string;
  /** The keys of its data; empty for a StorageClass. */
  readonly keys: ReadResult<readonly string[]>;
}

/** The label that enables arc-primer in a namespace. */
export const injectLabel = "arc-primer.dev/inject";
export const podSecurityLabel = "pod-security.kubernetes.io/enforce";

/** Whether an entry of a webhook configuration belongs to arc-primer, judged by its name. */
export function isOurs({ name }: Webhook): boolean {
  return name.endsWith(".arc-primer.dev");
}

/** The namespaces with the label. */
export function labelledNamespaces({ namespaces }: Pick<Readings, "namespaces">): readonly Namespace[] {
  return foundOr(namespaces, []).filter(({ metadata }) => metadata.labels?.[injectLabel] === "enabled");
}

/** The object that was read, or the fallback. */
export function foundOr<T>(readResult: ReadResult<T> | undefined, fallback: T): T {
  return readResult && "found" in readResult ? readResult.found : fallback;
}

/** `namespace/name`. */
export function nameOf({ metadata }: Named): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}

/** The first entry of arc-primer. The chart gives all entries the same Service. */
export function firstEntry({ webhooks = [] }: WebhookConfiguration): Webhook | undefined {
  return webhooks.find(isOurs);
}

/** Whether a replica runs and is not being deleted. */
export function isRunning({ metadata, status }: PodObject): boolean {
  return metadata.deletionTimestamp === undefined && status?.phase === "Running";
}

/** The number of ready addresses. */
export function readyAddresses(slices: readonly EndpointSlice[]): number {
  const ready = slices
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false);
  return ready.flatMap(({ addresses }) => addresses ?? []).length;
}
