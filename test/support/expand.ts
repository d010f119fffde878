/**
 * Expands one `command` or `args` string as the kubelet does. This is an independent implementation for tests, written from
 * the Kubernetes API reference of `Container.command` ("$(VAR_NAME) is expanded ... $$ is reduced to $ ... unresolved
 * references stay").
 */
export function kubeletExpand(text: string, env: Readonly<Record<string, string>>): string {
  let result = "";
  let rest = text;
  while (rest.length > 0) {
    const dollar = rest.indexOf("$");
    if (dollar < 0 || dollar === rest.length - 1) return result + rest;
    result += rest.slice(0, dollar);
    rest = rest.slice(dollar);
    if (rest[1] === "$") {
      result += "$";
      rest = rest.slice(2);
      continue;
    }
    const end = rest[1] === "(" ? rest.indexOf(")") : -1;
    if (end < 0) {
      // Neither form: copy the dollar and the next character, as the kubelet does.
      result += rest.slice(0, 2);
      rest = rest.slice(2);
      continue;
    }
    const name = rest.slice(2, end);
    result += Object.hasOwn(env, name) ? env[name] : `$(${name})`;
    rest = rest.slice(end + 1);
  }
  return result;
}
