import { createProgram } from "./cli/program.ts";
import { errorMessage } from "./files.ts";

// Exit codes: 0 success, 1 failure (with a message), 2 invalid command line (cli/program.ts). With
// `render --exit-code`, as with kubectl diff: 0 no difference, 1 a difference, 2 failure.

// If the reader of the output closes the pipe early (`| head`), this is not a failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) =>
  process.exit(error.code === "EPIPE" ? process.exitCode : 1),
);

try {
  await createProgram(ARC_PRIMER_VERSION).parseAsync();
} catch (error) {
  process.stderr.write(`arc-primer: ${errorMessage(error)}\n`);
  process.exitCode ||= 1;
}
