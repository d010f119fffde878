import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { watchFiles } from "./watch.ts";

const folder = mkdtempSync(join(tmpdir(), "arc-primer-watch-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

test("several missing files are reported once, in one message", async () => {
  const reported: string[] = [];
  const onChange = (contents: readonly string[] | Error) => {
    reported.push(contents instanceof Error ? contents.message : contents.join());
    return undefined;
  };
  const { stop } = await watchFiles([at("tls.crt"), at("tls.key")], 1, onChange);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const both = `${at("tls.crt")} does not exist; ${at("tls.key")} does not exist`;
  expect(reported).toEqual([both]);
  mkdirSync(at("tls.key"));
  await vi.waitFor(() => expect(reported.at(-1)).toContain(`; ${at("tls.key")} is a directory, not a file`));
  rmSync(at("tls.key"), { recursive: true });
  writeFileSync(at("tls.key"), "k");
  writeFileSync(at("tls.crt"), "c");
  await vi.waitFor(() => expect(reported.at(-1)).toBe("c,k"));
  stop();
});
