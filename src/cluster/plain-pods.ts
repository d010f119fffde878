// Pods for dry runs, which are never created. They satisfy Pod Security `restricted`, and set the resources that a quota
// requires.

const resources = { requests: { cpu: "1m", memory: "1Mi" }, limits: { cpu: "1m", memory: "1Mi" } };
const securityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };
const image = "ghcr.io/actions/actions-runner:latest";
const name = "arc-primer-doctor-dry-run";
const spec = {
  restartPolicy: "Never",
  automountServiceAccountToken: false,
  securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
};

/** A pod with an image volume. It lacks the label of runner pods, so the API server does not call arc-primer for it. */
export const plainPod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: {
    ...spec,
    containers: [
      { name: "main", image, securityContext, resources, volumeMounts: [{ name: "image", mountPath: "/image" }] },
    ],
    volumes: [{ name: "image", image: { reference: image } }],
  },
};

/** A runner pod with Docker, to test the replicas with if the cluster has no scale set. */
export const plainRunner = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, labels: { "actions-ephemeral-runner": "True" } },
  spec: {
    ...spec,
    initContainers: [{ name: "dind", image: "docker:dind", restartPolicy: "Always", securityContext, resources }],
    containers: [
      {
        name: "runner",
        image,
        securityContext,
        resources,
        command: ["/home/runner/run.sh"],
        env: [{ name: "DOCKER_HOST", value: "unix:///var/run/docker.sock" }],
      },
    ],
  },
};
