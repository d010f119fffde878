import { expect, test } from "vitest";
import { createPodsUnderFaults } from "./support/faults.ts";

// The short form of the run behind docs/reliability.md.

test("pods are created and primed while replicas are killed, replaced, and given new certificates and bad configuration", async () => {
  const { phases, certificates } = await createPodsUnderFaults(6);
  for (const { trouble, outcomes, times } of phases) {
    const { Ignore, Fail } = outcomes;
    expect({ trouble, refused: Ignore.refused }).toEqual({ trouble, refused: 0 });
    expect({ trouble, unprimed: Fail.unprimed }).toEqual({ trouble, unprimed: 0 });
    expect(Math.min(Ignore.primed, Fail.primed)).toBeGreaterThan(0);
    expect(times > 0).toBe(!trouble.includes("new certificates"));
  }
  for (const { trouble, outcomes, messages } of phases.filter((phase) =>
    /certificates|configuration/.test(phase.trouble),
  )) {
    const { Ignore, Fail } = outcomes;
    expect({ trouble, unprimed: Ignore.unprimed, refused: Fail.refused, messages }).toEqual({
      trouble,
      unprimed: 0,
      refused: 0,
      messages: [],
    });
  }
  // Unlike a Service, the load balancer of this test may pass a connection to a replica that has just stopped.
  const { Ignore, Fail } = phases.find((phase) => phase.trouble.startsWith("rolled"))!.outcomes;
  expect(Ignore.unprimed + Fail.refused).toBeLessThan((Ignore.pods + Fail.pods) / 50);
  expect(certificates).toBeGreaterThan(1);
}, 180_000);
