import { InvalidArgumentError, Option } from "commander";
import { milliseconds } from "../config/values.ts";

// Parsers for option values. Each throws an InvalidArgumentError, which commander shows to the user.

export function port(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= 65_535) return value;
  throw new InvalidArgumentError("expected a port, 0 to 65535");
}

/** An option whose value is a duration, parsed into milliseconds. `shown` is the default as the help displays it. */
export function time(flags: string, description: string, fallback: number, shown: string): Option {
  return new Option(flags, description).argParser(duration).default(fallback, shown);
}

function duration(text: string): number {
  const value = milliseconds(text);
  if (value !== undefined) return value;
  throw new InvalidArgumentError("expected a duration like 5s, 500ms or 90d");
}
