export interface Progress {
  /** Sets the text that is shown. */
  readonly say: (text: string) => void;
  /** Removes the line. */
  readonly stop: () => void;
}

/**
 * Shows the current step in one line on a terminal. The line appears only after a delay, so quick commands show nothing.
 * If the stream is not a terminal, nothing is written.
 *
 * @param stream the output, by default stderr
 * @param delay the time until the line appears, in milliseconds
 */
export function startProgress(stream: NodeJS.WriteStream = process.stderr, delay = 1000): Progress {
  if (!stream.isTTY) return { say: () => undefined, stop: () => undefined };
  let current = "";
  let isShown = false;
  const show = () => {
    isShown = true;
    stream.write(`\r\u001B[K${current} ...`);
  };
  const timer = setTimeout(show, delay);
  return {
    say(text) {
      current = text;
      if (isShown) show();
    },
    stop() {
      clearTimeout(timer);
      if (isShown) stream.write("\r\u001B[K");
      isShown = false;
    },
  };
}
