import { check, listed } from "./check.ts";
import type { Finding } from "./check.ts";
import { unreadable } from "./check.ts";

const day = 86_400_000;

export const certificate = check({
  name: "certificate",
  group: "replicas",
  looksAt: "The certificate that each replica really serves, compared with the caBundle, and its expiry.",
  problems: {
    untrusted: {
      status: "fail",
      means:
        "The API server does not trust the certificate, and calls arc-primer in vain: the caBundle does not vouch for it, or it is for another name.",
      do: "Self-managed: look into the webhook's log; kubectl -n NAMESPACE rollout restart of the Deployment makes it write the caBundle again. cert-manager: compare the Certificate's Secret with the caBundle. existing-secret: set tls.existingSecret.caBundle to the CA that signed it.",
    },
    expired: {
      status: "fail",
      means: "The API server calls arc-primer in vain.",
      do: "Renew the certificate. Self-managed and cert-manager do so by themselves: look into their logs for what keeps them from it.",
    },
    "expires-soon": {
      status: "warn",
      means: "It should have been renewed: arc-primer and cert-manager do so at two thirds of its life.",
      do: "Look into the webhook's log, or cert-manager's, for what keeps it from being renewed.",
    },
  },
  look({ release, now }) {
    if (!release) return [];
    const names = { NAMESPACE: release.namespace ?? "NAMESPACE" };
    const ends: number[] = [];
    const findings = release.conversations.flatMap((one): Finding<"untrusted" | "expired" | "expires-soon">[] => {
      const read = one.certificate;
      if (!("found" in read)) return [unreadable(`the certificate of ${one.with}`, read)];
      const { distrusted, notAfter } = read.found;
      const until = new Date(notAfter).toISOString().slice(0, 16).replace("T", " ");
      if (notAfter <= now)
        return [{ problem: "expired", what: `${one.with} serves a certificate that expired at ${until}`, names }];
      if (distrusted !== undefined)
        return [
          { problem: "untrusted", what: `${one.with} serves a certificate that is not trusted: ${distrusted}`, names },
        ];
      const whole = notAfter - read.found.notBefore;
      if (notAfter - now < Math.min(7 * day, whole / 6)) {
        return [{ problem: "expires-soon", what: `${one.with} serves a certificate that expires at ${until}`, names }];
      }
      ends.push(notAfter);
      return [];
    });
    if (findings.length > 0) return findings;
    if (ends.length === 0)
      return [{ unknown: "the certificate that is served was not looked at: no replica is running" }];
    const served = listed(release.conversations.map((one) => one.with));
    return [
      {
        ok: `${served}: trusted by the caBundle, valid until ${new Date(Math.min(...ends)).toISOString().slice(0, 10)}`,
      },
    ];
  },
});
