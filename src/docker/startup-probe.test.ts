import { expect, test } from "vitest";
import { onlyChecksDocker, probeTimeout } from "./startup-probe.ts";

const shell = (text: string) => ["sh", "-c", text];

test.each([
  [["docker", "info"]],
  [["/usr/local/bin/docker", "--host", "tcp://localhost:2376", "version"]],
  [["docker", "-H=unix:///run/docker.sock", "ps", "-q"]],
  [["timeout", "5", "docker", "info"]],
  [["test", "-S", "/var/run/docker.sock"]],
  [["curl", "--unix-socket", "/var/run/docker.sock", "http://localhost/_ping"]],
  [shell("docker info > /dev/null 2>&1")],
  [shell("[ -S /var/run/docker.sock ]")],
])("%j only checks that Docker is available", (command) => {
  expect(onlyChecksDocker({ exec: { command } })).toBe(true);
});

test.each([
  [["docker", "load", "-i", "/cache/info"]],
  [["docker", "image", "inspect", "warm:1"]],
  [["docker", "--context", "info", "pull", "alpine"]],
  [["cat", "/ready"]],
  [shell("docker image inspect warm:1 || docker load -i /cache/warm.tar")],
  [shell("docker info && test -f /ready")],
  [shell("docker info > /shared/ready")],
  [shell("docker ps $(cat /ids)")],
  [[]],
])("%j checks something else or more", (command) => {
  expect(onlyChecksDocker({ exec: { command } })).toBe(false);
});

test("an HTTP probe of /_ping only checks that Docker is available", () => {
  expect(onlyChecksDocker({ httpGet: { port: 2375, path: "/_ping" } })).toBe(true);
  expect(onlyChecksDocker({ httpGet: { port: 2375, path: "/images/json" } })).toBe(false);
  expect(onlyChecksDocker({ tcpSocket: { port: 2375 } })).toBe(false);
});

test("the timeout of a probe, with the defaults of the API", () => {
  expect(probeTimeout({})).toBe(30);
  expect(probeTimeout({ initialDelaySeconds: 5, periodSeconds: 2, failureThreshold: 10 })).toBe(25);
});
