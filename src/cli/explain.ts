import type { Cluster } from "../cluster/connect.ts";
import type { FoundRunner } from "../cluster/find-runner.ts";
import type { Config } from "../config/schema.ts";
import { chooseProfile, profileAnnotation } from "../engine/profile.ts";
import { createPrime } from "../engine/prime.ts";
import { primeManifest } from "../manifests/prime-manifest.ts";
import { mutations } from "../mutations/index.ts";
import { isPod } from "../pod/shape.ts";
import { isPodSecurity } from "../pod/pod-security.ts";
import type { PodSecurity } from "../pod/pod-security.ts";
import { accountOf, accountOfStatus } from "../report/account.ts";
import type { Statement } from "../report/account.ts";
import { choiceStatement } from "../report/choice.ts";
import type { Primed } from "../report/decision.ts";
import { evidenceOf } from "../report/evidence.ts";
import { differencesOf } from "../report/explanation.ts";
import type { Explanation } from "../report/explanation.ts";
import { explanationText } from "../report/explanation-text.ts";
import { readStatus } from "../report/status.ts";
import { readConfig } from "./config.ts";
import { nothingFound, readManifestInput } from "./manifest-input.ts";
import { withProgress } from "./progress.ts";

export interface ExplainOptions {
  /** A manifest; without it a pod or scale set of the cluster is explained. */
  readonly filename?: string;
  readonly namespace?: string;
  readonly config?: string;
  /** `NAMESPACE/NAME` */
  readonly configMap?: string;
  readonly podSecurity?: PodSecurity;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly output: "text" | "json";
}
