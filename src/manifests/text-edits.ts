/** Collects edits of one text and applies them all at once. Offsets refer to the original text. */
export interface TextEdits {
  readonly text: string;
  /** Replaces a part of the text, with the line endings of the text. Edits at the same offset are applied in order. */
  add(start: number, end: number, replacement: string): void;
  lineStart(offset: number): number;
  /** The offset of the end of the line, before its line ending. */
  lineEnd(offset: number): number;
  /** The offset of the next line's start. Returns the same offset if it is already the start of a line. */
  nextLine(offset: number): number;
  /** Whether only spaces precede the offset on its line. */
  isFirstOfLine(offset: number): boolean;
  /**
   * Returns a part of the text with the edits applied.
   *
   * @throws {Error} if two edits overlap
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
        if (start < at) throw new Error("two edits overlap");
        result += text.slice(at, start) + replacement;
        at = end;
      }
      return result + text.slice(at, part.end);
    },
  };
}
