/** A Markdown table. Line feeds in cells become spaces. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

/** A page of parts with an empty line between them. */
export function page(...parts: readonly string[]): string {
  return `${parts.join("\n\n")}\n`;
}
