import type { Profile } from "../config/schema.ts";
import type { Reference } from "./readings.ts";

/** The objects that a profile references for the pods of a namespace. */
export function referencesOf(
  { name: profile, docker, images, privateCA }: Profile,
  namespace: string,
): Omit<Reference, "keys">[] {
  const inNamespace = (kind: "Secret" | "ConfigMap", name: string, key: string | undefined, setting: string) => ({
    kind,
    namespace,
    name,
    key,
    setting: `profile ${profile}, ${setting}`,
  });
  const { credentials, data } = docker;
  const login = ".dockerconfigjson";
  const { configMap, secret } = privateCA ?? {};
  const storageClass = data.enabled ? data.ephemeral?.storageClassName : undefined;
  return [
    ...(credentials.enabled && credentials.secret !== undefined
      ? [inNamespace("Secret", credentials.secret, login, "docker.credentials.secret")]
      : []),
    ...(images.enabled ? images.pullSecrets.map((one) => inNamespace("Secret", one, login, "images.pullSecrets")) : []),
    ...(configMap ? [inNamespace("ConfigMap", configMap.name, configMap.key, "privateCA.configMap")] : []),
    ...(secret ? [inNamespace("Secret", secret.name, secret.key, "privateCA.secret")] : []),
    ...(storageClass === undefined
      ? []
      : [
          {
            kind: "StorageClass" as const,
            namespace: "",
            name: storageClass,
            key: undefined,
            setting: `profile ${profile}, docker.data.ephemeral.storageClassName`,
          },
        ]),
  ];
}
