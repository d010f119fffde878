import type { Container } from "./types.ts";

const proxyVariables = ["http_proxy", "https_proxy", "no_proxy", "all_proxy"];

/**
 * A helper container that arc-primer adds. These settings are copied from the runner container:
 * - the image, so that no other image is pulled and libraries match
 * - the pull policy (the API server's default would be `Always` for `:latest`)
 * - the resources, so that quotas and the pod's QoS class are not affected
 * - ARC's proxy variables, but no other variables: one of them is the runner's registration token
 *
 * @param own the name and command of the helper container, and any fields that differ from the copied settings
 */
export function helperContainer(runner: Container, { name, ...own }: Container): Container {
  return {
    name,
    ...(runner.image && { image: runner.image }),
    ...(runner.imagePullPolicy && { imagePullPolicy: runner.imagePullPolicy }),
    ...proxyAndResources(runner),
    ...own,
  };
}

/**
 * The variables that a value refers to as `$(NAME)`. Leaves out `ACTIONS_…`, which contain the runner's registration token.
 */
function references(value: string): string[] {
  return [...value.matchAll(/\$\(([\w.-]+)\)/g)]
    .map(([, name]) => name!)
    .filter((name) => !name.startsWith("ACTIONS_"));
}

/** The proxy variables and resources of the runner container, which every added container gets, whatever its image. */
export function proxyAndResources(runner: Container): Pick<Container, "env" | "resources"> {
  const { limits, requests } = runner.resources ?? {};
  const all = runner.env ?? [];
  const proxies = all.filter((variable) => proxyVariables.includes(variable.name.toLowerCase()));
  // A proxy URL may refer to another variable that contains its password.
  const wanted = proxies.flatMap(({ name, value }) => [name, ...references(value ?? "")]);
  const env = all.filter(({ name }) => wanted.includes(name));
  return {
    ...(env.length > 0 && { env: env.map((variable) => ({ ...variable })) }),
    ...((limits || requests) && {
      resources: { ...(limits && { limits: { ...limits } }), ...(requests && { requests: { ...requests } }) },
    }),
  };
}
