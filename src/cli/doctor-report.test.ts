import { expect, test } from "vitest";
import type { Line } from "../cluster/checks/check.ts";
import { doctorReport } from "./doctor-report.ts";

const lines: Line[] = [
  { status: "ok", group: "cluster", check: "nodes", what: "2 nodes" },
  {
    status: "fail",
    group: "webhook",
    check: "registration",
    problem: "missing",
    what: "there is none",
    means: "Nothing is primed.",
    do: "Install it.",
  },
  { status: "unknown", group: "webhook", check: "ca-bundle", what: "it may not be read", do: "Get the rights." },
];

test("prints each check in its group, with meaning and advice, and a summary", () => {
  expect(doctorReport(lines, false)).toBe(`Cluster
  ✓ nodes: 2 nodes

Webhook
  ✗ registration/missing: there is none
      What it means: Nothing is primed.
      What to do: Install it.
  ? ca-bundle: it may not be read
      What to do: Get the rights.

1 failed, 1 not checked, 1 passed
`);
});

test("uses colour if requested", () => {
  expect(doctorReport(lines, true)).toContain("\u001B[31m✗\u001B[39m registration/missing");
});
