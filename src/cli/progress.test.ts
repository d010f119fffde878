import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { startProgress } from "./progress.ts";

function stream(isTTY: boolean) {
  let text = "";
  return { isTTY, write: (chunk: string) => void (text += chunk), text: () => text };
}
const started = (output: ReturnType<typeof stream>, delay: number) =>
  startProgress(output as unknown as NodeJS.WriteStream, delay);

test("on a terminal, the line is shown after a delay, updated and removed", async () => {
  const terminal = stream(true);
  const progress = started(terminal, 20);
  progress.say("reading");
  expect(terminal.text()).toBe("");
  await sleep(60);
  progress.say("writing");
  progress.stop();
  expect(terminal.text()).toBe("\r\u001B[Kreading ...\r\u001B[Kwriting ...\r\u001B[K");
});

test("shows nothing before the delay, and nothing if the stream is not a terminal", async () => {
  const [terminal, file] = [stream(true), stream(false)];
  const [quick, slow] = [started(terminal, 20), started(file, 0)];
  quick.say("reading");
  quick.stop();
  slow.say("reading");
  await sleep(60);
  slow.stop();
  expect([terminal.text(), file.text()]).toEqual(["", ""]);
});
