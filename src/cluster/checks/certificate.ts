import { foundOr } from "../readings.ts";
import { check, listed, unreadable } from "./check.ts";
import type { Finding } from "./check.ts";

const day = 86_400_000;

export const certificate = check({
  name: "certificate",
  group: "replicas",
  description: "The certificate that each replica serves: whether the caBundle covers it, and when it expires.",
  problems: {
    untrusted: {
      status: "fail",
      means:
        "The API server does not trust the certificate, so calls to arc-primer fail. Either no CA in the caBundle signed it, or it was issued for a different name.",
      do: "With the self-managed provider, check the webhook's log; kubectl -n NAMESPACE rollout restart deployment/DEPLOYMENT makes the webhook write the caBundle again. With cert-manager, compare the Certificate's Secret with the caBundle. With existing-secret, set tls.existingSecret.caBundle to the CA that signed the certificate.",
    },
    expired: {
      status: "fail",
      means: "The API server does not trust the certificate, so calls to arc-primer fail.",
      do: "Renew the certificate. The self-managed provider and cert-manager renew it automatically: check their logs for what prevents the renewal.",
    },
    "expires-soon": {
      status: "warn",
      means:
        "The certificate should have been renewed already: arc-primer and cert-manager renew it at two thirds of its lifetime.",
      do: "Check the webhook's log, or cert-manager's, for what prevents the renewal.",
    },
  },
  run({ release, now }) {
    if (!release) return [];
    const names = {
      NAMESPACE: release.namespace ?? "NAMESPACE",
      DEPLOYMENT: foundOr(release.deployment, undefined)?.metadata.name ?? "DEPLOYMENT",
    };
    const expiries: number[] = [];
    const findings = release.calls.flatMap((one): Finding<"untrusted" | "expired" | "expires-soon">[] => {
      const read = one.certificate;
      if (!("found" in read)) return [unreadable(`the certificate of ${one.name}`, read)];
      const { distrusted, notAfter } = read.found;
      const until = new Date(notAfter).toISOString().slice(0, 16).replace("T", " ");
      if (notAfter <= now)
        return [{ problem: "expired", what: `${one.name} serves a certificate that expired at ${until}`, names }];
      if (distrusted !== undefined)
        return [
          { problem: "untrusted", what: `${one.name} serves a certificate that is not trusted: ${distrusted}`, names },
        ];
      const lifetime = notAfter - read.found.notBefore;
      if (notAfter - now < Math.min(7 * day, lifetime / 6)) {
        return [{ problem: "expires-soon", what: `${one.name} serves a certificate that expires at ${until}`, names }];
      }
      expiries.push(notAfter);
      return [];
    });
    if (findings.length > 0) return findings;
    if (expiries.length === 0) return [{ unknown: "the serving certificate was not checked: no replica is running" }];
    const served = listed(release.calls.map((one) => one.name));
    return [
      {
        ok: `${served}: trusted by the caBundle, valid until ${new Date(Math.min(...expiries)).toISOString().slice(0, 10)}`,
      },
    ];
  },
});
