import { createProgram } from "./cli/program.ts";
import { errorWords } from "./files.ts";

// Exit codes: 0 done, 1 it failed (the message says at what), 2 the command line is wrong (cli/program.ts).

// The reader of our output may have seen enough (`| head`).
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

try {
  await createProgram(ARC_PRIMER_VERSION).parseAsync();
} catch (error) {
  process.stderr.write(`arc-primer: ${errorWords(error)}\n`);
  process.exitCode = 1;
}
