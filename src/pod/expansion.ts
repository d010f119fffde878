/**
 * Escapes a text for a container's `command` or `args`, so that the kubelet hands on exactly this text.
 *
 * The kubelet rewrites `$$` to `$` and `$(NAME)` to the value of NAME where the container has such a variable
 * (k8s.io/kubernetes, third_party/forked/golang/expansion). So a `$` is doubled where `$` or `(` follows; any other
 * stays as it is, which keeps scripts readable in the pod.
 */
export function escapeForKubelet(text: string): string {
  return text.replaceAll(/\$(?=[$(])/g, "$$$$");
}
