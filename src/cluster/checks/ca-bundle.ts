import { X509Certificate } from "node:crypto";
import { isOurs } from "../readings.ts";
import { check, counted, listed } from "./check.ts";

const begin = "-----BEGIN CERTIFICATE-----";
const day = 86_400_000;

export const caBundle = check({
  name: "ca-bundle",
  group: "webhook",
  looksAt: "The caBundle of each entry: by it the API server trusts the certificate that arc-primer serves.",
  problems: {
    unreadable: {
      status: "fail",
      means: "The API server can make nothing of it, and calls arc-primer in vain.",
      do: "With the self-managed provider, restart the webhook's pods and look into their log; with existing-secret, set tls.existingSecret.caBundle to the CA, PEM.",
    },
    empty: {
      status: "warn",
      means:
        "The API server trusts only what its own system trusts. The webhook fills the caBundle in when it starts; cert-manager, when the Certificate is ready.",
      do: "Look whether a replica runs, and into its log; with cert-manager, into cainjector's. With existing-secret and a CA of your own, set tls.existingSecret.caBundle.",
    },
    expired: {
      status: "fail",
      means: "The API server trusts nothing that an expired CA has signed, and calls arc-primer in vain.",
      do: "Renew the CA. The self-managed provider does so by itself: look into the webhook's log for what keeps it from that.",
    },
    "expires-soon": {
      status: "warn",
      means: "When the last CA in it has expired, the API server calls arc-primer in vain.",
      do: "Renew the CA. The self-managed provider and cert-manager do so by themselves at two thirds of its life: look into the webhook's log for what keeps them from that.",
    },
    different: {
      status: "warn",
      means:
        "The entries trust different CAs, so that arc-primer may be reached for some namespaces and not for others.",
      do: "Wait a minute: a renewal may be under way. Else look into the webhook's log.",
    },
  },
  look({ release, now }) {
    if (!release) return [];
    const ours = (release.registration.webhooks ?? []).filter(isOurs);
    const bundles = new Set(ours.map(({ clientConfig }) => clientConfig?.caBundle ?? ""));
    if (bundles.size > 1)
      return [
        {
          problem: "different",
          what: `${counted(bundles.size, "caBundle")} that differ, in the entries ${listed(ours.map(({ name }) => name))}`,
        },
      ];
    const [bundle = ""] = bundles;
    if (bundle === "") return [{ problem: "empty", what: "the caBundle is empty" }];
    const certificates = certificatesIn(Buffer.from(bundle, "base64").toString("utf8"));
    if (!certificates) return [{ problem: "unreadable", what: "the caBundle holds no readable certificates" }];
    const end = Math.max(...certificates.map(({ validTo }) => Date.parse(validTo)));
    const until = `${counted(certificates.length, "CA")} in it, valid until ${new Date(end).toISOString().slice(0, 10)}`;
    if (end <= now) return [{ problem: "expired", what: `the caBundle has expired: ${until}` }];
    if (end - now < 30 * day) return [{ problem: "expires-soon", what: `the caBundle expires soon: ${until}` }];
    return [{ ok: `the caBundle is the same in all entries, ${until}` }];
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
