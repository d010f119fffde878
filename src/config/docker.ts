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
        "How long to wait for Docker, in whole seconds up to an hour. A longer time that the pod sets itself (RUNNER_WAIT_FOR_DOCKER_IN_SECONDS, or a startup probe that is removed) counts instead.",
      ),
    interval: values
      .duration({ min: "10ms", max: "10s" })
      .prefault("50ms")
      .describe("The time between two checks of whether Docker answers."),
    exitCode: z
      .int()
      .min(1)
      .max(255)
      .refine((code) => code !== 7, "ARC takes exit code 7 for an outdated runner")
      .default(42)
      .describe(
        "The runner container's exit code when Docker does not come. Not 7: ARC reads it as an outdated runner.",
      ),
    onTimeout: z
      .enum(["fail", "start"])
      .default("fail")
      .describe("What happens when Docker does not come: `fail` ends the container, `start` starts the runner anyway."),
    keepStartupProbe: z
      .boolean()
      .default(false)
      .describe("Set to true to keep the startup probe of the DinD sidecar, which checks every 5 s."),
  })
  .prefault({});

/** `profiles.NAME.docker`. */
export const docker = z
  .strictObject({
    container: values.containerName
      .default("dind")
      .describe(
        "The name of the DinD container. Of several containers, the one that starts dockerd counts first, then a privileged one, then the name and the image.",
      ),
    wait,
    mirror: z
      .strictObject({
        enabled: z.boolean().default(true).describe("Set to false to give dockerd no flags for registries."),
        insecureRegistries: z
          .array(addresses.insecureRegistry)
          .default([])
          .describe("Values for --insecure-registry: host[:port] or CIDR."),
      })
      .prefault({}),
    hosts: z
      .strictObject({
        enabled: z.boolean().default(true).describe("Set to false to give dockerd no hosts.toml and no certificates."),
      })
      .prefault({}),
    imageStore: z
      .enum(["auto", "containerd"])
      .default("auto")
      .describe(
        "`containerd` says that dockerd uses the containerd image store, where the image's tag does not tell; Docker 28 is then told to. Mirrors of registries other than Docker Hub need that store.",
      ),
    daemon,
    data: dockerData,
    externals: z
      .enum(["copy", "volume", "memory"])
      .default("copy")
      .describe(
        "How Docker gets the runner's externals (about 600 MB). `copy` leaves the copy that ARC makes in every pod. `volume` mounts the image instead: it needs image volumes in the API server and on every node (Kubernetes 1.35, containerd 2.1). `memory` copies into memory, which counts against the pod's limits.",
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
          .describe("`sidecar` adds a native sidecar; `container` an ordinary container, for Kubernetes before 1.29."),
        rootless: z
          .boolean()
          .default(false)
          .describe(
            "Set to true for docker:dind-rootless, which runs as the runner image's user. It is privileged as well.",
          ),
      })
      .prefault({}),
    proxy: z
      .strictObject({
        enabled: z
          .boolean()
          .default(false)
          .describe(
            "Set to true to give ARC's proxy (the proxy variables of the runner container) to dockerd, with all mirrors in NO_PROXY.",
          ),
        builds: z
          .boolean()
          .default(true)
          .describe("Set to false to leave the proxy out of Docker's config, which hands it to builds and containers."),
      })
      .prefault({}),
    credentials: z
      .strictObject({
        enabled: z.boolean().default(true).describe("Set to false to log jobs in nowhere."),
        secret: values.objectName
          .optional()
          .describe("A Secret of type kubernetes.io/dockerconfigjson in the runner's namespace. It may be missing."),
      })
      .prefault({}),
    gracefulEnd: z
      .strictObject({
        enabled: z.boolean().default(true).describe("Set to false to leave the end of pods as it is."),
        gracePeriod: values
          .duration({ min: "1s", max: "24h", wholeSeconds: true })
          .optional()
          .describe(
            "What terminationGracePeriodSeconds is raised to, so that a cancelled job can clean up. It is never lowered.",
          ),
      })
      .prefault({}),
  })
  .prefault({});
