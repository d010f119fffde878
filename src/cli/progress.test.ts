import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { startProgress } from "./progress.ts";

function stream(isTTY: boolean) {
  let text = "";
  return { isTTY, write: (chunk: string) => void (text += chunk), text: () => text };
}
const started = (of: ReturnType<typeof stream>, after: number) =>
  startProgress(of as unknown as NodeJS.WriteStream, after);

test("on a terminal: shown after a while, renewed, and taken away", async () => {
  const terminal = stream(true);
  const progress = started(terminal, 20);
  progress.say("reading");
  expect(terminal.text()).toBe("");
  await sleep(60);
  progress.say("speaking");
  progress.stop();
  expect(terminal.text()).toBe("\r\u001B[Kreading ...\r\u001B[Kspeaking ...\r\u001B[K");
});

test("what is quick shows nothing, nor is anything shown elsewhere than on a terminal", async () => {
  const [terminal, file] = [stream(true), stream(false)];
  const [quick, slow] = [started(terminal, 20), started(file, 0)];
  quick.say("reading");
  quick.stop();
  slow.say("reading");
  await sleep(60);
  slow.stop();
  expect([terminal.text(), file.text()]).toEqual(["", ""]);
});
