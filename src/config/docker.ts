// Settings of Docker in the pod.
import * as z from "zod";
import * as addresses from "./addresses.ts";
import { daemon } from "./daemon.ts";
import { dockerData } from "./docker-data.ts";
import * as values from "./values.ts";

const wait = z
  .strictObject({
    enabled: z.boolean().default(true).describe("Set to false to start the runner without waiting for Docker."),
    timeout: values
      .duration({ min: "1s", max: "1h", wholeSeconds: true })
      .prefault("120s")
      .describe(
        "How long to wait for Docker, in whole seconds up to an hour. If the pod itself sets a longer time (RUNNER_WAIT_FOR_DOCKER_IN_SECONDS, or a startup probe that is removed), that time is used.",
      ),
    interval: values
      .duration({ min: "10ms", max: "10s" })
      .prefault("50ms")
      .describe("The interval between two checks whether Docker responds."),
    exitCode: z
      .int()
      .min(1)
      .max(255)
      .refine((code) => code !== 7, "must not be 7, which ARC interprets as an outdated runner")
      .default(42)
      .describe(
        "The exit code of the runner container if Docker does not respond in time. It must not be 7, which ARC interprets as an outdated runner.",
      ),
    onTimeout: z
      .enum(["fail", "start"])
      .default("fail")
      .describe(
        "What to do if Docker does not respond in time: `fail` stops the runner container, `start` starts the runner anyway.",
      ),
    keepStartupProbe: z
      .boolean()
      .default(false)
      .describe("Set to true to keep the startup probe of the DinD sidecar, which runs every 5 s."),
  })
  .prefault({});

/** `profiles.NAME.docker`. */
export const docker = z
  .strictObject({
    container: values.containerName
      .default("dind")
      .describe(
        "The name of the DinD container. If several containers qualify, arc-primer prefers one that starts dockerd, then a privileged one, then one with this name, then one with a DinD image.",
      ),
    wait,
    mirror: z
      .strictObject({
        enabled: z.boolean().default(true).describe("Set to false to add no registry flags to dockerd."),
        insecureRegistries: z
          .array(addresses.insecureRegistry)
          .default([])
          .describe("Values for --insecure-registry: host[:port] or CIDR."),
      })
      .prefault({}),
    hosts: z
      .strictObject({
        enabled: z
          .boolean()
          .default(true)
          .describe("Set to false to add no hosts.toml and no certificates for dockerd."),
      })
      .prefault({}),
    imageStore: z
      .enum(["auto", "containerd"])
      .default("auto")
      .describe(
        "Set to `containerd` if dockerd uses the containerd image store and the image's tag does not show it. Docker 28 is then configured to use that store. Mirrors of registries other than Docker Hub need it.",
      ),
    daemon,
    data: dockerData,
    externals: z
      .enum(["copy", "volume", "memory"])
      .default("copy")
      .describe(
        "How Docker gets the runner's externals (about 600 MB). `copy` keeps the copy that ARC creates in every pod. `volume` mounts the runner image instead, which requires image volumes in the API server and on every node (Kubernetes 1.35, containerd 2.1). `memory` copies the externals to memory, which counts against the pod's limits.",
      ),
    inject: z
      .boolean()
      .default(false)
      .describe(
        "Set to true to add DinD to pods that have no Docker. **It gives jobs a privileged container**: they can become root on the node.",
      ),
    injected: z
      .strictObject({
        layout: z
          .enum(["sidecar", "container"])
          .default("sidecar")
          .describe(
            "`sidecar` adds a native sidecar. `container` adds an ordinary container, for Kubernetes before 1.29.",
          ),
        rootless: z
          .boolean()
          .default(false)
          .describe(
            "Set to true to use docker:dind-rootless, which runs as the user of the runner image. The container is still privileged.",
          ),
      })
      .prefault({}),
    proxy: z
      .strictObject({
        enabled: z
          .boolean()
          .default(false)
          .describe(
            "Set to true to pass ARC's proxy (the proxy variables of the runner container) to dockerd, with all mirrors added to NO_PROXY.",
          ),
        builds: z
          .boolean()
          .default(true)
          .describe(
            "Set to false to leave the proxy out of Docker's client config, which passes it to builds and containers.",
          ),
      })
      .prefault({}),
    credentials: z
      .strictObject({
        enabled: z.boolean().default(true).describe("Set to false to provide no registry credentials to jobs."),
        secret: values.objectName
          .optional()
          .describe(
            "The Secret with the registry credentials, of type kubernetes.io/dockerconfigjson, in the runner's namespace. It may be missing.",
          ),
      })
      .prefault({}),
    gracefulEnd: z
      .strictObject({
        enabled: z.boolean().default(true).describe("Set to false to leave the termination of pods unchanged."),
        gracePeriod: values
          .duration({ min: "1s", max: "24h", wholeSeconds: true })
          .optional()
          .describe(
            "The minimum terminationGracePeriodSeconds, so that a cancelled job can clean up. A longer one is kept.",
          ),
      })
      .prefault({}),
  })
  .prefault({});
