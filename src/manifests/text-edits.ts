/** Edits of one text, collected and then made all at once. Offsets count in the text as it came. */
export interface TextEdits {
  readonly text: string;
  /** Puts `replacement` in the place of a part, with the line ends of the text. Of two at one place, the first comes first. */
  add(start: number, end: number, replacement: string): void;
  lineStart(offset: number): number;
  /** Where the line's end begins. */
  lineEnd(offset: number): number;
  /** Where the next line begins; the same offset if that begins a line already. */
  nextLine(offset: number): number;
  /** Whether there is nothing but spaces before it on its line. */
  isFirstOfLine(offset: number): boolean;
  /**
   * A part of the text with the edits in it.
   *
   * @throws {Error} if two of them are about the same characters
   */
  result(part: { readonly start: number; readonly end: number }): string;
}

export function startTextEdits(text: string): TextEdits {
  const edits: { readonly start: number; readonly end: number; readonly replacement: string }[] = [];
  const eol = /\r?\n/.exec(text)?.[0] ?? "\n";
  const lineStart = (offset: number) => text.lastIndexOf("\n", offset - 1) + 1;

  return {
    text,
    add: (start, end, replacement) =>
      void edits.push({ start, end, replacement: replacement.replaceAll(/\r?\n/g, eol) }),
    lineStart,
    lineEnd: (offset) => offset + /^[^\r\n]*/.exec(text.slice(offset))![0].length,
    nextLine(offset) {
      if (text[offset - 1] === "\n") return offset;
      return text.includes("\n", offset) ? text.indexOf("\n", offset) + 1 : text.length;
    },
    isFirstOfLine: (offset) => text.slice(lineStart(offset), offset).trim() === "",
    result(part) {
      let [result, at] = ["", part.start];
      for (const { start, end, replacement } of edits.toSorted((a, b) => a.start - b.start)) {
        if (start < at) throw new Error("two edits of the same characters");
        result += text.slice(at, start) + replacement;
        at = end;
      }
      return result + text.slice(at, part.end);
    },
  };
}
