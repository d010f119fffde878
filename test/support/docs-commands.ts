// Which test runs a command of the documentation, where docs-commands.test.ts cannot run it itself. Commands are as the
// pages have them; a command on two pages is here once.

/** What test/cluster/docs.node.test.ts runs, in this order: an installation, from the first command to the last. */
export const onCluster = {
  install:
    "helm install arc-primer charts/arc-primer -n arc-primer --create-namespace --set image.repository=registry.example.com/arc-primer",
  label: "kubectl label namespace arc-runners arc-primer.dev/inject=enabled",
  test: "helm test arc-primer -n arc-primer",
  status: "kubectl get pod -n arc-runners POD -o jsonpath='{.metadata.annotations.arc-primer\\.dev/status}'",
  termination: "kubectl get pod -n arc-runners POD -o jsonpath='{.status..terminated.message}'",
  keep: `kubectl patch pod -n arc-runners POD --type=merge -p '{"metadata":{"finalizers":["example.com/keep"]}}'`,
  letGo: `kubectl patch pod -n arc-runners POD --type=merge -p '{"metadata":{"finalizers":null}}'`,
  log: "kubectl logs -n arc-primer -l app.kubernetes.io/component=webhook --prefix --tail=-1",
  check:
    "kubectl get configmap -n arc-primer arc-primer -o jsonpath='{.data.config\\.yaml}' | arc-primer config check -",
  upgrade: "helm upgrade arc-primer charts/arc-primer -n arc-primer -f values.yaml --wait",
  ignore:
    "helm upgrade arc-primer charts/arc-primer -n arc-primer -f values.yaml --set webhook.failurePolicy=Ignore --wait",
  deleteCache: "kubectl delete statefulset -n arc-primer arc-primer-cache-docker-io",
  uninstall: "helm uninstall arc-primer -n arc-primer --wait",
  unlabel: "kubectl label namespace arc-runners arc-primer.dev/inject-",
  deleteNamespace: "kubectl delete namespace arc-primer",
} as const;

/** A place that runs a command, or what it does. */
export interface Elsewhere {
  readonly command: string;
  /** A file of the checkout. */
  readonly file: string;
  /** What has to be in it: a test's name, or the command. */
  readonly contains: string;
}

/** What other tests, and CI, run. */
export const elsewhere: readonly Elsewhere[] = [
  // The README's two commands, as CI runs them.
  { command: "npm ci", file: ".github/workflows/test.yml", contains: "- run: npm ci && npm run demo" },
  { command: "npm cit", file: ".ci/run", contains: "npm cit" },
  { command: "npm run test:cluster", file: ".ci/run", contains: "npm run -s test:cluster -- node" },
  { command: "npm run test:cluster -- machine", file: ".ci/run", contains: "npm run -s test:cluster -- machine" },
  {
    command:
      "sed 's#image: arc-primer:0.1.0#image: registry.example.com/arc-primer:0.1.0#' deploy/arc-primer.yaml | kubectl apply -f -",
    file: "test/cluster/chart.node.test.ts",
    contains: "the plain manifests become ready and prime pods",
  },
  {
    command:
      "arc-primer serve --tls-secret arc-primer/arc-primer-tls --tls-webhook-configuration arc-primer --tls-dns-name arc-primer.arc-primer.svc",
    file: "test/cluster/tls.apiserver.test.ts",
    contains: "two replicas at once, from an empty Secret: one authority, which both serve and kube-apiserver trusts",
  },
  {
    command: "arc-primer serve --config primer.yaml --tls-cert-file tls.crt --tls-private-key-file tls.key",
    file: "test/cli.test.ts",
    contains: "a changed configuration is in force without a restart; a bad one is not, and says why",
  },
  {
    command: "scripts/release/verify.sh ghcr.io/OWNER/arc-primer@sha256:… https://github.com/OWNER/arc-primer",
    file: "test/release.test.ts",
    contains: "a signature has to be that of the repository's release workflow",
  },
  // An answer about the cluster.
  {
    command: "arc-primer doctor",
    file: "test/cluster/doctor.node.test.ts",
    contains: "the chart's own installation: nothing is broken, and everything was checked",
  },
  {
    command: "arc-primer doctor --context ci -o json",
    file: "test/cluster/doctor.apiserver.test.ts",
    contains: "-o",
  },
  ...["kubectl apply -f deploy/doctor-rights.yaml"]
    .concat(
      [
        "kubectl create clusterrolebinding arc-primer-doctor --clusterrole arc-primer-doctor --group platform",
        "kubectl -n arc-runners create rolebinding arc-primer-doctor --clusterrole arc-primer-doctor-dry-run --group platform",
        "kubectl -n arc-primer create rolebinding arc-primer-doctor --clusterrole arc-primer-doctor-replicas --group platform",
      ], //
    )
    .map((command) => ({
      command,
      file: "test/cluster/doctor.node.test.ts",
      contains: "in the image, in a pod, with the rights of deploy/doctor-rights.yaml",
    })),
  {
    command: "arc-primer explain linux-x64-7hs5v-runner-k2m9d -n arc-runners",
    file: "test/cluster/explain.apiserver.test.ts",
    contains: "that was primed: what was done, and that it would be done again",
  },
  {
    command: "arc-primer explain linux-x64 -n arc-runners",
    file: "test/cluster/explain.apiserver.test.ts",
    contains: "the next pod of a scale set",
  },
  // Helm's post-renderers and completion.
  {
    command: "helm plugin install deploy/helm-plugin",
    file: "test/post-renderer.test.ts",
    contains: "takes the plugin by its name, after it is installed",
  },
  {
    command:
      "helm upgrade --install runners oci://ghcr.io/actions/actions-runner-controller-charts/gha-runner-scale-set … --post-renderer arc-primer --post-renderer-args --config --post-renderer-args primer.yaml",
    file: "test/post-renderer.test.ts",
    contains: "takes the plugin by its name, after it is installed",
  },
  {
    command:
      "helm upgrade --install … --post-renderer arc-primer --post-renderer-args render --post-renderer-args --config --post-renderer-args primer.yaml",
    file: "test/post-renderer.test.ts",
    contains: "takes the program itself",
  },
  {
    command:
      "helm upgrade --install … --post-renderer deploy/helm-plugin/post-render.sh --post-renderer-args --config --post-renderer-args primer.yaml",
    file: "test/post-renderer.test.ts",
    contains: "takes the script",
  },
  ...[
    "source <(arc-primer completion bash)",
    "source <(arc-primer completion zsh)",
    "arc-primer completion fish > ~/.config/fish/completions/arc-primer.fish",
  ].map((command) => ({
    command,
    file: "test/completion.test.ts",
    contains: "completes subcommands, options, their values and files",
  })),
];
