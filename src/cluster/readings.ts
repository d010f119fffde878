import type { Config } from "../config/schema.ts";
import type { Pod } from "../pod/types.ts";
import type { PodSecurity } from "../pod/pod-security.ts";
import type { Primed } from "../report/decision.ts";
import type { Answer, Readable, Version } from "./connect.ts";
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

/** All that the checks look at. It is read first, as a whole, so that a check is a function of it and nothing else. */
export interface Readings {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The version of this arc-primer. */
  readonly ownVersion: string;
  readonly version: Readable<Version>;
  /** The names of the API groups that the server offers. */
  readonly apiGroups: Readable<readonly string[]>;
  readonly nodes: Readable<readonly Node[]>;
  readonly mutating: Readable<readonly WebhookConfiguration[]>;
  readonly validating: Readable<readonly WebhookConfiguration[]>;
  /** How many addresses are ready behind each Service that another webhook names, by `namespace/name`. */
  readonly backends: Readonly<Record<string, Readable<number>>>;
  /** Around the registration of arc-primer; undefined where none was found. */
  readonly release: Release | undefined;
  readonly namespaces: Readable<readonly Namespace[]>;
  readonly scaleSets: Readable<readonly ArcObject[]>;
  /** Whether the API server keeps the image volume of a pod; undefined where there was no namespace to try it in. */
  readonly imageVolume: Answer | undefined;
  /** What came of the pod of each scale set whose namespace has the label. */
  readonly trials: readonly Trial[];
  /** What profiles name, in the namespaces of the scale sets that get them. */
  readonly references: readonly Reference[];
  readonly runnerPods: Readable<readonly PodObject[]>;
}

/** The webhook that a registration of arc-primer names. */
export interface Release {
  readonly registration: WebhookConfiguration;
  /** Where its Service is; undefined where the registration names a URL. */
  readonly namespace: string | undefined;
  readonly service: Readable<Service> | undefined;
  readonly endpoints: Readable<readonly EndpointSlice[]> | undefined;
  /** The Deployment whose pods the Service selects. */
  readonly deployment: Readable<Workload> | undefined;
  readonly replicas: Readable<readonly PodObject[]> | undefined;
  readonly caches: Readable<readonly Workload[]> | undefined;
  readonly bundleServers: Readable<readonly Workload[]> | undefined;
  readonly configuration: Configuration | undefined;
  /** What each replica serves and answers. */
  readonly conversations: readonly Conversation[];
}

/** The ConfigMap with the PrimerConfiguration, as the Deployment mounts it. */
export interface Configuration {
  readonly name: string;
  readonly text: Readable<string>;
  /** Read; or what is wrong with it, a problem a line. */
  readonly parsed:
    { readonly config: Config; readonly warnings: readonly string[] } | { readonly error: string } | undefined;
}

/** What one replica, or the address in a registration, has served and answered. */
export interface Conversation {
  /** The pod's name, or the URL. */
  readonly with: string;
  readonly certificate: Readable<ServedCertificate>;
  /** Its answers to the reviews of `asked`, in their order. */
  readonly answers: Readable<readonly string[]>;
  /** What this arc-primer would answer with the configuration in the ConfigMap; undefined without one. */
  readonly expected: readonly string[] | undefined;
}

export interface ServedCertificate {
  /** Why the caBundle of the registration does not vouch for it; undefined if it does. */
  readonly distrusted: string | undefined;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
  readonly notBefore: number;
}

/** The pod that ARC would create for a scale set: what we say of it, and what the API server made of it as a dry run. */
export interface Trial {
  readonly scaleSet: ArcObject;
  readonly namespace: string;
  /** Undefined where the scale set has no template. */
  readonly pod: Pod | undefined;
  readonly podSecurity: PodSecurity;
  /** By this arc-primer with the configuration in the ConfigMap; undefined where that was not read. */
  readonly primed: Primed | undefined;
  /** Undefined where it was not tried. */
  readonly answer: Answer | { readonly failed: string } | undefined;
}

/** An object that a profile names. */
export interface Reference {
  readonly kind: "Secret" | "ConfigMap" | "StorageClass";
  /** Empty for a StorageClass. */
  readonly namespace: string;
  readonly name: string;
  readonly key: string | undefined;
  /** The profile and its setting, `profile ci, docker.credentials.secret`. */
  readonly setting: string;
  /** What is in it, by key; of a StorageClass nothing. */
  readonly keys: Readable<readonly string[]>;
}

/** The label by which a namespace asks for arc-primer. */
export const injectLabel = "arc-primer.dev/inject";
export const podSecurityLabel = "pod-security.kubernetes.io/enforce";

/** Whether an entry of a webhook configuration is arc-primer's, by its name. */
export function isOurs({ name }: Webhook): boolean {
  return name.endsWith(".arc-primer.dev");
}

/** The labelled namespaces, of those that could be read. */
export function labelled({ namespaces }: Pick<Readings, "namespaces">): readonly Namespace[] {
  return foundOr(namespaces, []).filter(({ metadata }) => metadata.labels?.[injectLabel] === "enabled");
}

/** What was read, or else this. */
export function foundOr<T>(readable: Readable<T> | undefined, fallback: T): T {
  return readable && "found" in readable ? readable.found : fallback;
}

/** `namespace/name`. */
export function nameOf({ metadata }: Named): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}

/** The entry that stands for all: the chart gives all of them the same Service. */
export function firstEntry({ webhooks = [] }: WebhookConfiguration): Webhook | undefined {
  return webhooks.find(isOurs);
}

/** Whether a replica is one that calls may go to. */
export function isRunning({ metadata, status }: PodObject): boolean {
  return metadata.deletionTimestamp === undefined && status?.phase === "Running";
}

/** How many addresses take calls. */
export function readyAddresses(slices: readonly EndpointSlice[]): number {
  const ready = slices
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false);
  return ready.flatMap(({ addresses }) => addresses ?? []).length;
}
