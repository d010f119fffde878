import * as z from "zod";
import * as values from "./values.ts";

/** `profiles.NAME.runner.finishJob`. */
export const finishJob = z
  .strictObject({
    enabled: z.boolean().default(true).describe("Set to false to let the end of a pod cancel its job."),
    gracePeriod: values
      .duration({ min: "1m", max: "5d", wholeSeconds: true })
      .optional()
      .describe(
        "What terminationGracePeriodSeconds is raised to, and so how long a job that runs when its pod is deleted or evicted may go on, less the reserve. **A job that hangs holds the drain of its node for all of this time.** A pod without a job ends at once. It is never lowered.",
      ),
    reserve: values
      .duration({ min: "5s", max: "1h", wholeSeconds: true })
      .prefault("1m")
      .describe(
        "The part of the grace period that is kept for a job that is cancelled after all, to clean up. It is lost where the pod is given less than its grace period.",
      ),
  })
  // If the grace period comes from the base profile, this is checked again on the merged profile.
  .refine(({ gracePeriod, reserve }) => gracePeriod === undefined || reserve < gracePeriod, {
    path: ["reserve"],
    error: "the reserve is not shorter than the grace period, so no job could go on",
  })
  .prefault({});
