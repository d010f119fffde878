import type { Container } from "./types.ts";

const proxyVariables = ["http_proxy", "https_proxy", "no_proxy", "all_proxy"];

/**
 * A container that arc-primer adds. It copies settings from the runner container: the same image, so that nothing else
 * is pulled and libraries match; the same pull policy (the API server would make it `Always` for `:latest`); the same resources, so
 * that quotas and the pod's quality of service hold; ARC's proxy. Never its other variables: one of them is the
 * runner's registration.
 *
 * @param own its name and command, and whatever else is its own
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

/** The variables that the kubelet would put into a value: `$(NAME)`. Never the runner's registration. */
function references(value: string): string[] {
  return [...value.matchAll(/\$\(([\w.-]+)\)/g)]
    .map(([, name]) => name!)
    .filter((name) => !name.startsWith("ACTIONS_"));
}

/** What every container that arc-primer adds takes from the runner, whatever its image: proxy variables, resources. */
export function proxyAndResources(runner: Container): Pick<Container, "env" | "resources"> {
  const { limits, requests } = runner.resources ?? {};
  const all = runner.env ?? [];
  const proxies = all.filter((variable) => proxyVariables.includes(variable.name.toLowerCase()));
  // A proxy's password may stand in a variable of its own, to which its address refers.
  const wanted = proxies.flatMap(({ name, value }) => [name, ...references(value ?? "")]);
  const env = all.filter(({ name }) => wanted.includes(name));
  return {
    ...(env.length > 0 && { env: env.map((variable) => ({ ...variable })) }),
    ...((limits || requests) && {
      resources: { ...(limits && { limits: { ...limits } }), ...(requests && { requests: { ...requests } }) },
    }),
  };
}
