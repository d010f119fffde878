import { expect, test } from "vitest";
import { mirroredImage } from "./image-mirror.ts";

const digest = `sha256:${"a".repeat(64)}`;
const mirrors = {
  "docker.io": "harbor.example.com/hub",
  "ghcr.io": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/github",
  "quay.io": "mirror:5000",
  "harbor.example.com": "other.example.com",
};

test.each([
  ["docker:dind", "harbor.example.com/hub/library/docker:dind"],
  ["docker", "harbor.example.com/hub/library/docker"],
  [`docker:29-dind@${digest}`, `harbor.example.com/hub/library/docker:29-dind@${digest}`],
  ["library/docker:dind", "harbor.example.com/hub/library/docker:dind"],
  ["index.docker.io/istio/proxyv2:1", "harbor.example.com/hub/istio/proxyv2:1"],
  ["docker.io/docker:dind", "harbor.example.com/hub/library/docker:dind"],
  [
    "ghcr.io/actions/actions-runner:latest",
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com/github/actions/actions-runner:latest",
  ],
  ["quay.io/podman/stable", "mirror:5000/podman/stable"],
  ["harbor.example.com/hub/library/docker:dind", "harbor.example.com/hub/library/docker:dind"],
  ["harbor.example.com/ci/runner:1", "other.example.com/ci/runner:1"],
  ["localhost/x:1", "localhost/x:1"],
  ["registry.corp:5000/x:1", "registry.corp:5000/x:1"],
  ["", ""],
])("%s is rewritten to %s", (image, want) => {
  expect(mirroredImage(image, mirrors)).toBe(want);
  expect(mirroredImage(want, mirrors)).toBe(want);
});
