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
  // Only a replica that dies, or none that is ready, costs reviews.
  for (const { trouble, outcomes, messages } of phases.filter((phase) => !/killed|at once/.test(phase.trouble))) {
    const { Ignore, Fail } = outcomes;
    expect({ trouble, unprimed: Ignore.unprimed, refused: Fail.refused, messages }).toEqual({
      trouble,
      unprimed: 0,
      refused: 0,
      messages: [],
    });
  }
  expect(certificates).toBeGreaterThan(1);
}, 180_000);
