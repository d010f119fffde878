// Lists which test runs a command of the documentation, for commands that docs-commands.test.ts cannot run itself. Commands
// are written exactly as on the pages. A command that is on several pages is listed once.

/** The commands that test/cluster/docs.node.test.ts runs, in this order: from the installation to its removal. */
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

/** A test or workflow that runs a command, or does the same in another way. */
export interface Elsewhere {
  readonly command: string;
  /** A file of the checkout. */
  readonly file: string;
  /** The text that the file must contain: the name of a test, or the command. */
  readonly contains: string;
}

/** The commands that other tests or CI run. */
export const elsewhere: readonly Elsewhere[] = [
  // Commands that CI runs.
  { command: "npm ci", file: ".github/workflows/test.yml", contains: "- run: npm ci && npm run demo" },
  { command: "npm cit", file: ".ci/run", contains: "npm cit" },
  { command: "npm run test:cluster", file: ".ci/run", contains: "npm run -s test:cluster -- node" },
  { command: "npm run test:cluster -- machine", file: ".ci/run", contains: "npm run -s test:cluster -- machine" },
  {
    command:
      "sed 's#image: arc-primer:0.2.0#image: registry.example.com/arc-primer:0.2.0#' deploy/arc-primer.yaml | kubectl apply -f -",
    file: "test/cluster/chart.node.test.ts",
    contains: "the plain manifests become ready and prime pods",
  },
  {
    command:
      "arc-primer serve --tls-secret arc-primer/arc-primer-tls --tls-webhook-configuration arc-primer --tls-dns-name arc-primer.arc-primer.svc",
    file: "test/cluster/tls.apiserver.test.ts",
    contains:
      "two replicas at once, from an empty Secret: both serve the same certificate, and kube-apiserver trusts its CA",
  },
  {
    command: "arc-primer serve --config primer.yaml --tls-cert-file tls.crt --tls-private-key-file tls.key",
    file: "test/cli.test.ts",
    contains: "a changed configuration is used without a restart; an invalid one is rejected with the reason",
  },
  {
    command: "scripts/release/verify.sh ghcr.io/OWNER/arc-primer@sha256:… https://github.com/OWNER/arc-primer",
    file: "test/release.test.ts",
    contains: "a signature must be from the release workflow of the repository",
  },
  // Commands that read a cluster.
  {
    command: "arc-primer doctor",
    file: "test/cluster/doctor.node.test.ts",
    contains: "the installed chart: nothing is broken, and everything is checked",
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
      contains: "the image in a pod, with the permissions in deploy/doctor-rights.yaml",
    })),
  {
    command: "arc-primer explain linux-x64-7hs5v-runner-k2m9d -n arc-runners",
    file: "test/cluster/explain.apiserver.test.ts",
    contains: "that was primed: what was done, and that a new pod would be the same",
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
    contains: "runs the plugin by its name after it is installed",
  },
  {
    command:
      "helm upgrade --install runners oci://ghcr.io/actions/actions-runner-controller-charts/gha-runner-scale-set … --post-renderer arc-primer --post-renderer-args --config --post-renderer-args primer.yaml",
    file: "test/post-renderer.test.ts",
    contains: "runs the plugin by its name after it is installed",
  },
  {
    command:
      "helm upgrade --install … --post-renderer arc-primer --post-renderer-args render --post-renderer-args --config --post-renderer-args primer.yaml",
    file: "test/post-renderer.test.ts",
    contains: "runs the program itself",
  },
  {
    command:
      "helm upgrade --install … --post-renderer deploy/helm-plugin/post-render.sh --post-renderer-args --config --post-renderer-args primer.yaml",
    file: "test/post-renderer.test.ts",
    contains: "runs the script",
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
