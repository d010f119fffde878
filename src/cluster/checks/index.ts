import { apiServer } from "./api-server.ts";
import { bundles } from "./bundles.ts";
import { caBundle } from "./ca-bundle.ts";
import { caches } from "./caches.ts";
import { certificate } from "./certificate.ts";
import type { Check } from "./check.ts";
import { configuration, sameAnswers } from "./configuration.ts";
import { dryRuns } from "./dry-runs.ts";
import { endpoints } from "./endpoints.ts";
import { imageVolumes } from "./image-volumes.ts";
import { namespaces, podSecurity, scaleSets } from "./namespaces.ts";
import { nodes } from "./nodes.ts";
import { otherWebhooks } from "./other-webhooks.ts";
import { profiles } from "./profiles.ts";
import { provider } from "./provider.ts";
import { references } from "./references.ts";
import { entries, failurePolicy, webhookConfiguration } from "./webhook-configuration.ts";
import { replicas, versions } from "./replicas.ts";
import { runnerPods } from "./runner-pods.ts";

/** All checks, in the order in which their results are printed. A new check takes one file, its test, and one line here. */
export const checks: readonly Check[] = [
  apiServer,
  nodes,
  imageVolumes,
  webhookConfiguration,
  entries,
  caBundle,
  failurePolicy,
  otherWebhooks,
  endpoints,
  replicas,
  versions,
  certificate,
  configuration,
  sameAnswers,
  namespaces,
  scaleSets,
  podSecurity,
  profiles,
  dryRuns,
  references,
  runnerPods,
  caches,
  bundles,
  provider,
];
