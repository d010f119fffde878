import type { Logger } from "../../log.ts";
import type { ManagedPart, Metrics } from "../../metrics.ts";
import { bundleText, certificatesIn, isFault, keys, readHeld } from "./secret-contents.ts";
import type { Held, Serving } from "./secret-contents.ts";
import { createSightings } from "./sightings.ts";
import type { Sightings } from "./sightings.ts";
import { doubtOf } from "./clocks.ts";
import { make } from "./issue.ts";
import { Conflict } from "./objects.ts";
import type { ClusterObjects, Versioned } from "./objects.ts";
import { invalidity } from "../pair.ts";
import type { Pair } from "../pair.ts";
import { plan } from "./plan.ts";
import type { Times } from "./plan.ts";
import { observe, trustedNow, untrue } from "./trust.ts";
import type { Entry, Trust } from "./trust.ts";

export interface ManagerParts {
  readonly objects: ClusterObjects;
  /** What the certificate is to be made for. */
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
 * One replica's part in keeping the certificates (what is decided, and in which order: plan.ts). The replicas do not
 * know of each other; what one writes is refused by the API server if another was faster, and then it reads that.
 */
export class Manager {
  readonly #parts: ManagerParts;
  readonly #serve: (pair: Pair) => void;
  readonly #sightings: Sightings;
  #trust: Trust = new Map();
  #current: Serving | undefined;

  /** @param serve is given each pair that is to be served from then on */
  constructor(parts: ManagerParts, serve: (pair: Pair) => void) {
    this.#parts = parts;
    this.#sightings = createSightings(parts.log);
    this.#serve = serve;
  }

  /** The time by which certificates are judged: the API server's, where it is known. Milliseconds since 1970. */
  now(): number {
    return this.#parts.objects.serverTime() ?? this.#parts.clock();
  }

  /**
   * Reads both objects, brings one of them a step forward if need be, and takes over the certificate.
   *
   * @returns "again" if there may be more to do at once
   * @throws {Error} if something could not be read or written; whatever else could be done was done all the same
   */
  async step(): Promise<"done" | "again"> {
    const { objects, metrics } = this.#parts;
    const problems: Error[] = [];
    // The entries are read before the Secret: were it the other way around, a caBundle that another replica has just
    // written could be overwritten with what stood in the Secret before.
    const entries = await attempt(() => objects.entries(), problems);
    if (entries) this.#trust = observe(this.#trust, entries.content, this.now());
    const secret = await attempt(() => objects.secret(), problems);
    if (secret) {
      const held = readHeld(secret.content, this.now());
      if (!isFault(held.authority)) metrics.authorityExpiry(held.authority.validTo / 1000);
      this.#sightings.seen(isFault(held.authority) ? held.bundle : [held.authority, ...held.bundle]);
      const doubt = doubtOf(held, this.#parts.clock(), objects.serverTime());
      if (doubt) problems.push(new Error(doubt));
      else if (await attempt(() => this.#keepSecret(secret, held, entries), problems)) return "again";
      else if (entries && (await attempt(() => this.#keepEntries(entries, held), problems))) return "again";
      this.#takeOver(held.serving);
    }
    if (problems.length) throw new Error(problems.map(({ message }) => message).join("; "));
    return "done";
  }

  /** @returns whether the Secret was written, by us or, faster, by another; so are the two below */
  async #keepSecret(secret: Secret, held: Held, entries: Entries | undefined): Promise<boolean> {
    const { objects, names, times } = this.#parts;
    const now = this.now();
    const settled = entries !== undefined && this.#settled(held.authority, now);
    const wanted = plan(held, { now, names, times, settled });
    // An authority that nobody can be told to trust is of no use, and would displace one that may be trusted.
    if ((wanted.authority ?? wanted.bundle) !== undefined && !entries) return false;
    const trusted = trustedNow(entries?.content ?? [], now);
    const values = await make(wanted, held, { now, names, times, trusted });
    if (!Object.keys(values).length) return false;
    this.#sightings.made(certificatesIn(values[keys.authority] ?? ""));
    return this.#write("Secret", wanted, () => objects.writeSecret(secret.version, values));
  }

  async #keepEntries({ version, content }: Entries, { bundle }: Held): Promise<boolean> {
    const differing = bundle.length ? untrue(content, bundle) : [];
    if (!differing.length) return false;
    const right = differing.map(({ name }) => ({ name, caBundle: bundleText(bundle) }));
    const reason = `not that of the Secret in ${differing.map(({ name }) => name).join(", ")}`;
    const write = () => this.#parts.objects.writeEntries(version, right);
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
      log.info({ changed: what }, `the ${where} was brought up to date`);
    } catch (error) {
      count(error instanceof Conflict ? "conflict" : "failed");
      if (!(error instanceof Conflict)) throw error;
    }
    return true;
  }

  /** Whether every kube-apiserver has had the time to take up that this authority is trusted. */
  #settled(authority: Held["authority"], now: number): boolean {
    return !isFault(authority) && this.#trustedFor(authority.fingerprint, now) >= this.#parts.times.settling;
  }

  /** For how long it has been seen in every caBundle; less than 0 if it is not there. */
  #trustedFor(fingerprint: string, now: number): number {
    const since = this.#trust.get(fingerprint);
    return since === undefined ? -1 : Math.max(now - since, 0);
  }

  /** Serves the certificate of the Secret; not before its authority is trusted, if that is another one. */
  #takeOver(next: Held["serving"]): void {
    const { metrics, times } = this.#parts;
    if (isFault(next) || next.cert === this.#current?.cert) return;
    const now = this.now();
    const usable = this.#current && !invalidity(this.#current, now) && this.#trustedFor(this.#current.signer, now) >= 0;
    const familiar = usable && this.#current?.signer === next.signer;
    // With something to serve that is trusted there is time; without, it is enough that kube-apiserver has been told.
    if (!familiar && this.#trustedFor(next.signer, now) < (usable ? times.settling : 0)) return;
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
