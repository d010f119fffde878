import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { watchFiles } from "./watch.ts";

const folder = mkdtempSync(join(tmpdir(), "arc-primer-watch-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

test("files that are missing are one message, at whatever speed each is missed", async () => {
  const seen: string[] = [];
  const note = (contents: readonly string[] | Error) => {
    seen.push(contents instanceof Error ? contents.message : contents.join());
    return undefined;
  };
  const { stop } = await watchFiles([at("tls.crt"), at("tls.key")], 1, note);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const both = `there is no file ${at("tls.crt")}; there is no file ${at("tls.key")}`;
  expect(seen).toEqual([both]);
  mkdirSync(at("tls.key"));
  await vi.waitFor(() => expect(seen.at(-1)).toContain(`; ${at("tls.key")} is a folder; name a file in it`));
  rmSync(at("tls.key"), { recursive: true });
  writeFileSync(at("tls.key"), "k");
  writeFileSync(at("tls.crt"), "c");
  await vi.waitFor(() => expect(seen.at(-1)).toBe("c,k"));
  stop();
});
