import { expect, test } from "vitest";
import { createPodsUnderFaults } from "./support/faults.ts";

// A short version of the run that docs/reliability.md reports.

test("pods are created and primed while replicas are killed, replaced, and given new certificates and bad configuration", async () => {
  const { phases, certificates } = await createPodsUnderFaults(6);
  for (const { fault, outcomes, times } of phases) {
    const { Ignore, Fail } = outcomes;
    expect({ fault, rejected: Ignore.rejected }).toEqual({ fault, rejected: 0 });
    expect({ fault, unprimed: Fail.unprimed }).toEqual({ fault, unprimed: 0 });
    expect(Math.min(Ignore.primed, Fail.primed)).toBeGreaterThan(0);
    expect(times > 0).toBe(!fault.includes("new certificates"));
  }
  for (const { fault, outcomes, messages } of phases.filter((phase) =>
    /certificates|configuration/.test(phase.fault),
  )) {
    const { Ignore, Fail } = outcomes;
    expect({ fault, unprimed: Ignore.unprimed, rejected: Fail.rejected, messages }).toEqual({
      fault,
      unprimed: 0,
      rejected: 0,
      messages: [],
    });
  }
  // Unlike a Service, the load balancer of this test may pass a connection to a replica that has just stopped.
  const { Ignore, Fail } = phases.find((phase) => phase.fault.startsWith("rolled"))!.outcomes;
  expect(Ignore.unprimed + Fail.rejected).toBeLessThan((Ignore.pods + Fail.pods) / 50);
  expect(certificates).toBeGreaterThan(1);
}, 180_000);
