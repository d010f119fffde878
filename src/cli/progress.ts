export interface Progress {
  /** Names what is being done now. */
  readonly say: (what: string) => void;
  /** Takes the line away. */
  readonly stop: () => void;
}

/**
 * One line on stderr that names what takes long, from the second second on; on a terminal alone.
 *
 * @param stream where it is written
 * @param after milliseconds before it is shown
 */
export function startProgress(stream: NodeJS.WriteStream = process.stderr, after = 1000): Progress {
  if (!stream.isTTY) return { say: () => undefined, stop: () => undefined };
  let current = "";
  let isShown = false;
  const show = () => {
    isShown = true;
    stream.write(`\r\u001B[K${current} ...`);
  };
  const timer = setTimeout(show, after);
  return {
    say(what) {
      current = what;
      if (isShown) show();
    },
    stop() {
      clearTimeout(timer);
      if (isShown) stream.write("\r\u001B[K");
      isShown = false;
    },
  };
}
