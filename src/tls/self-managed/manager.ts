import type { Logger } from "../../log.ts";
import type { ManagedPart, Metrics } from "../../metrics.ts";
import { bundleText, certificatesIn, isFault, keys, parseSecret } from "./secret-contents.ts";
import type { SecretContents, Serving } from "./secret-contents.ts";
import { createKnownCAs } from "./known-cas.ts";
import type { KnownCAs } from "./known-cas.ts";
import { clockSkewReason } from "./clocks.ts";
import { issueCertificates } from "./issue.ts";
import { Conflict } from "./objects.ts";
import type { ClusterObjects, Versioned } from "./objects.ts";
import { invalidReason } from "../serving-certificate.ts";
import type { ServingCertificate } from "../serving-certificate.ts";
import { plan } from "./plan.ts";
import type { Times } from "./plan.ts";
import { observe, trustedCAs, outdatedEntries } from "./trust.ts";
import type { Entry, TrustHistory } from "./trust.ts";

export interface ManagerParts {
  readonly objects: ClusterObjects;
  /** The DNS names of the certificate. */
  readonly names: readonly string[];
  readonly times: Times;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly log: Logger;
  readonly metrics: Metrics;
}

type Entries = Versioned<readonly Entry[]>;
type Secret = Versioned<Readonly<Record<string, string>>>;

/**
 * Manages the certificates in one replica. plan.ts decides what to do and in which order. The replicas do not know of each
 * other. If another replica has written first, the API server rejects the write, and the replica reads the objects again.
 */
export class Manager {
  readonly #parts: ManagerParts;
  readonly #serve: (pair: ServingCertificate) => void;
  readonly #knownCAs: KnownCAs;
  #trust: TrustHistory = new Map();
  #current: Serving | undefined;

  /** @param serve called with each new certificate and key to serve */
  constructor(parts: ManagerParts, serve: (pair: ServingCertificate) => void) {
    this.#parts = parts;
    this.#knownCAs = createKnownCAs(parts.log);
    this.#serve = serve;
  }

  /** The time for checking validity: the API server's time, if it is known. In milliseconds since 1970. */
  now(): number {
    return this.#parts.objects.serverTime() ?? this.#parts.clock();
  }

  /**
   * Reads both objects, updates one of them if necessary, and starts to serve the certificate.
   *
   * @returns "again" if there may be more to do immediately
   * @throws {Error} if an object could not be read or written. The other parts of the step are still carried out
   */
  async step(): Promise<"done" | "again"> {
    const { objects, metrics } = this.#parts;
    const problems: Error[] = [];
    // Read the entries before the Secret. In the other order, a caBundle that another replica has just written could be
    // overwritten with an outdated bundle from the Secret.
    const entries = await attempt(() => objects.entries(), problems);
    if (entries) this.#trust = observe(this.#trust, entries.content, this.now());
    const secret = await attempt(() => objects.secret(), problems);
    if (secret) {
      const contents = parseSecret(secret.content, this.now());
      if (!isFault(contents.ca)) metrics.caExpiry(contents.ca.validTo / 1000);
      this.#knownCAs.logNew(isFault(contents.ca) ? contents.bundle : [contents.ca, ...contents.bundle]);
      const clockSkew = clockSkewReason(contents, this.#parts.clock(), objects.serverTime());
      if (clockSkew !== undefined) problems.push(new Error(clockSkew));
      else if (await attempt(() => this.#updateSecret(secret, contents, entries), problems)) return "again";
      else if (entries && (await attempt(() => this.#updateEntries(entries, contents), problems))) return "again";
      this.#serveCertificate(contents.serving);
    }
    if (problems.length) throw new Error(problems.map(({ message }) => message).join("; "));
    return "done";
  }

  /** @returns whether the Secret was written, by this or another replica. The same applies to the next two methods */
  async #updateSecret(secret: Secret, contents: SecretContents, entries: Entries | undefined): Promise<boolean> {
    const { objects, names, times } = this.#parts;
    const now = this.now();
    const settled = entries !== undefined && this.#settled(contents.ca, now);
    const wanted = plan(contents, { now, names, times, settled });
    // Without the entries, kube-apiserver cannot be configured to trust a new CA. It would only replace a trusted one.
    if ((wanted.authority ?? wanted.bundle) !== undefined && !entries) return false;
    const trusted = trustedCAs(entries?.content ?? [], now);
    const values = await issueCertificates(wanted, contents, { now, names, times, trusted });
    if (!Object.keys(values).length) return false;
    this.#knownCAs.addOwn(certificatesIn(values[keys.ca] ?? ""));
    return this.#write("Secret", wanted, () => objects.writeSecret(secret.version, values));
  }

  async #updateEntries({ version, content }: Entries, { bundle }: SecretContents): Promise<boolean> {
    const outdated = bundle.length ? outdatedEntries(content, bundle) : [];
    if (!outdated.length) return false;
    const updated = outdated.map(({ name }) => ({ name, caBundle: bundleText(bundle) }));
    const reason = `it differs from the Secret in ${outdated.map(({ name }) => name).join(", ")}`;
    const write = () => this.#parts.objects.writeEntries(version, updated);
    return this.#write("webhook configuration", { "ca-bundle": reason }, write);
  }

  async #write(
    where: string,
    what: Partial<Record<ManagedPart, string>>,
    write: () => Promise<void>,
  ): Promise<boolean> {
    const { log, metrics } = this.#parts;
    const count = (result: "written" | "conflict" | "failed") => {
      for (const part of Object.keys(what) as ManagedPart[]) metrics.selfManaged(part, result);
    };
    try {
      await write();
      count("written");
      log.info({ changed: what }, `the ${where} was updated`);
    } catch (error) {
      count(error instanceof Conflict ? "conflict" : "failed");
      if (!(error instanceof Conflict)) throw error;
    }
    return true;
  }

  /** Whether the CA has been in the caBundle long enough for every kube-apiserver to trust it. */
  #settled(ca: SecretContents["ca"], now: number): boolean {
    return !isFault(ca) && this.#trustedFor(ca.fingerprint, now) >= this.#parts.times.settling;
  }

  /** How long a CA has been in every caBundle, in milliseconds; negative if it is not in all of them. */
  #trustedFor(fingerprint: string, now: number): number {
    const since = this.#trust.get(fingerprint);
    return since === undefined ? -1 : Math.max(now - since, 0);
  }

  /** Serves the certificate from the Secret. If another CA has signed it, this waits until that CA is trusted. */
  #serveCertificate(next: SecretContents["serving"]): void {
    const { metrics, times } = this.#parts;
    if (isFault(next) || next.cert === this.#current?.cert) return;
    const now = this.now();
    const usable =
      this.#current && !invalidReason(this.#current, now) && this.#trustedFor(this.#current.signer, now) >= 0;
    const sameSigner = usable && this.#current?.signer === next.signer;
    // With a usable certificate, wait for the settling time. Without one, it is enough that the CA is in every caBundle.
    if (!sameSigner && this.#trustedFor(next.signer, now) < (usable ? times.settling : 0)) return;
    this.#current = next;
    this.#serve(next);
    metrics.reload("certificate", true);
  }
}

async function attempt<T>(act: () => Promise<T>, problems: Error[]): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    problems.push(error as Error);
    return undefined;
  }
}
