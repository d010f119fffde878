import * as z from "zod";
import * as values from "./values.ts";

/** `profiles.NAME.runner.finishJob`. */
export const finishJob = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe("Set to false to let the deletion or eviction of a pod cancel its job."),
    gracePeriod: values
      .duration({ min: "1m", max: "5d", wholeSeconds: true })
      .optional()
      .describe(
        "The minimum terminationGracePeriodSeconds. A longer one is kept. If a pod is deleted or evicted while a job runs, the job can continue for this time, minus the reserve. **A job that hangs blocks the drain of its node for all of this time.** A pod without a job stops immediately.",
      ),
    reserve: values
      .duration({ min: "5s", max: "1h", wholeSeconds: true })
      .prefault("1m")
      .describe(
        "The part of the grace period that is reserved for the cleanup of a job that is cancelled after all. It is lost if the pod gets less time than its grace period.",
      ),
  })
  // If the grace period comes from the base profile, this is checked again on the merged profile.
  .refine(({ gracePeriod, reserve }) => gracePeriod === undefined || reserve < gracePeriod, {
    path: ["reserve"],
    error: "must be shorter than gracePeriod, because no job could continue otherwise",
  })
  .prefault({});
