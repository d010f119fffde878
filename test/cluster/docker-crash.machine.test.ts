import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { arcSees } from "./support/arc.ts";
import { get, logs, until } from "./support/kube.ts";
import { ended, runnerPod } from "./support/runner-pod.ts";
import type { RunnerPod } from "./support/runner-pod.ts";
import { kubectl } from "./support/stack.ts";
import { installWebhookForTests } from "./support/webhook-hooks.ts";

// Kills dockerd in ARC's sidecar while a job runs a container. Shows what the job loses and what ARC would do. The results are
// used in docs/decisions/0019.

const profiles = { default: {}, data: { docker: { data: { emptyDir: { sizeLimit: "4Gi" } } } } };
installWebhookForTests({ profiles, rules: [{ profile: "default", allowedProfiles: ["data"] }] }, "crash");

const job = `
programs="/bin/sh /usr/bin/tail"
tar -chf - $programs $(ldd $programs | grep -o '/[^ )]*' | grep -v :$ | sort -u) | docker import - job:1 > /dev/null || exit 9
docker run --detach --name service job:1 tail -f /dev/null > /dev/null || exit 8
echo at work
docker run --rm --name step job:1 tail -f /dev/null
echo "the step exited with $?"
began=$SECONDS
for i in $(seq 40); do docker version > /dev/null 2>&1 && break; sleep 0.5; done
echo "docker is back after $((SECONDS - began)) s, with $(docker images --quiet | wc -l) images and these containers:"
docker ps --all --format '{{.Names}} {{.State}}'
`;

interface Restarted extends RunnerPod {
  status: { initContainerStatuses: { name: string; restartCount: number }[] } & RunnerPod["status"];
}

async function killDockerd(name: string, profile: string) {
  const pod = await runnerPod(name, "crash", job, {
    change(created) {
      created.metadata.annotations = { ...created.metadata.annotations, "arc-primer.dev/profile": profile };
    },
  });
  await until("the job's container", 90, async () => (await logs("crash", name, "runner")).includes("at work"));
  const seen = arcSees(pod, 20);
  const kill = "for p in /proc/[0-9]*; do read -r n < $p/comm && [ $n = dockerd ] && kill -9 ${p#/proc/}; done; true";
  execFileSync(kubectl(), ["exec", "-n", "crash", name, "-c", "dind", "--", "sh", "-c", kill], { stdio: "inherit" });
  const { exitCode, log } = await ended(pod, 120);
  const { status } = await get<Restarted>("Pod", "crash", name);
  const restarts = status.initContainerStatuses.find((one) => one.name === "dind")?.restartCount;
  return { exitCode, log, restarts, arc: await seen, daemon: await logs("crash", name, "dind") };
}

test.each([
  ["default", "0 images and these containers:\n\n?$"],
  ["data", "1 images and these containers:\nservice exited\n$"],
])("the running step fails, and ARC deletes the pod: profile %s", { timeout: 300_000 }, async (profile, left) => {
  const { log, restarts, arc, daemon } = await killDockerd(profile, profile);
  expect(log).toContain("the step exited with 125");
  expect(restarts).toBeGreaterThan(0);
  expect(arc.at(-1)?.does).toBe("delete the pod");
  // The file with containerd's process ID is still there after the restart. If another process has that ID, dockerd exits.
  const isBack = !log.includes("images and these containers:\nCannot connect");
  expect(isBack ? log : daemon).toMatch(isBack ? new RegExp(left) : /failed to save containerd pid to disk/);
});
