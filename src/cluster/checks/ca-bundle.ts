import { X509Certificate } from "node:crypto";
import { isOurs } from "../readings.ts";
import { check, counted, listed } from "./check.ts";

const begin = "-----BEGIN CERTIFICATE-----";
const day = 86_400_000;

export const caBundle = check({
  name: "ca-bundle",
  group: "webhook",
  description: "The caBundle of each entry. The API server uses it to verify the certificate that arc-primer serves.",
  problems: {
    unreadable: {
      status: "fail",
      means: "The API server cannot parse it, so calls to arc-primer fail.",
      do: "With the self-managed provider, restart the webhook's pods and check their logs. With existing-secret, set tls.existingSecret.caBundle to the CA in PEM format.",
    },
    empty: {
      status: "warn",
      means:
        "The API server trusts only the CAs of its own system. The webhook sets the caBundle when it starts. With cert-manager, cainjector sets it when the Certificate is ready.",
      do: "Check that a replica is running, and check its log. With cert-manager, check the log of cainjector. With existing-secret and a private CA, set tls.existingSecret.caBundle.",
    },
    expired: {
      status: "fail",
      means: "The API server does not trust a certificate that an expired CA has signed, so calls to arc-primer fail.",
      do: "Renew the CA. The self-managed provider renews it automatically: check the webhook's log for what prevents the renewal.",
    },
    "expires-soon": {
      status: "warn",
      means: "When the last CA in the caBundle expires, calls to arc-primer fail.",
      do: "Renew the CA. The self-managed provider and cert-manager renew it automatically at two thirds of its lifetime: check the webhook's log, or cert-manager's, for what prevents the renewal.",
    },
    different: {
      status: "warn",
      means:
        "The entries trust different CAs, so calls to arc-primer may succeed for some namespaces and fail for others.",
      do: "Wait a minute: a renewal may be in progress. If the difference remains, check the webhook's log.",
    },
  },
  run({ release, now }) {
    if (!release) return [];
    const ours = (release.webhookConfiguration.webhooks ?? []).filter(isOurs);
    const bundles = new Set(ours.map(({ clientConfig }) => clientConfig?.caBundle ?? ""));
    if (bundles.size > 1)
      return [
        {
          problem: "different",
          what: `${counted(bundles.size, "different caBundle")}, in the entries ${listed(ours.map(({ name }) => name))}`,
        },
      ];
    const [bundle = ""] = bundles;
    if (bundle === "") return [{ problem: "empty", what: "the caBundle is empty" }];
    const certificates = certificatesIn(Buffer.from(bundle, "base64").toString("utf8"));
    if (!certificates) return [{ problem: "unreadable", what: "the caBundle contains no valid PEM certificates" }];
    const expiry = Math.max(...certificates.map(({ validTo }) => Date.parse(validTo)));
    const until = `${counted(certificates.length, "CA")}, valid until ${new Date(expiry).toISOString().slice(0, 10)}`;
    if (expiry <= now) return [{ problem: "expired", what: `the caBundle has expired: ${until}` }];
    if (expiry - now < 30 * day) return [{ problem: "expires-soon", what: `the caBundle expires soon: ${until}` }];
    return [{ ok: `the caBundle is the same in all entries: ${until}` }];
  },
});

function certificatesIn(text: string): X509Certificate[] | undefined {
  try {
    const certificates = text
      .split(begin)
      .slice(1)
      .map((part) => new X509Certificate(begin + part));
    return certificates.length > 0 ? certificates : undefined;
  } catch {
    return undefined;
  }
}
