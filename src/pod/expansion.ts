/**
 * Escapes a text for a container's `command` or `args`, so that the kubelet passes on exactly this text.
 *
 * The kubelet expands `$$` to `$`, and `$(NAME)` to the value of NAME if the container has that variable
 * (k8s.io/kubernetes, third_party/forked/golang/expansion). So a `$` is doubled only if `$` or `(` follows. Any other `$`
 * is kept, so that scripts stay readable in the pod.
 */
export function escapeForKubelet(text: string): string {
  return text.replaceAll(/\$(?=[$(])/g, "$$$$");
}
