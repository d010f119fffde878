import { expect, test } from "vitest";
import { blocksOf, commandsOf } from "./support/docs.ts";

// How the documentation's blocks are read (test/support/docs.ts), on a page of the test's own.

const page = `# A page

\`\`\`sh
one   two && three # a comment
four 'a # b' \\
  five
\`\`\`

1. In a list:

   Not run here: no cloud.

   \`\`\`sh
   six
   \`\`\`

   \`\`\`yaml
   a:
     b: 1
   \`\`\`

## A cloud

<!-- a comment -->

Not run here, because it takes an account.
Two lines.

### Below it

\`\`\`sh
seven
\`\`\`

## Another

Not the first paragraph.

Not run here: too late for the section.

And so on.

\`\`\`sh
eight
nine # not run here: it needs a registry
\`\`\`
`;

test("blocks have the text without a list's indentation, and the mark above them or below their heading", () => {
  const [first, second, third, fourth, fifth] = blocksOf("a.md", page);
  expect(first).toMatchObject({ page: "a.md", line: 3, language: "sh", isMarked: false });
  expect(second).toMatchObject({ text: "six\n", isMarked: true });
  expect(third).toMatchObject({ language: "yaml", text: "a:\n  b: 1\n", isMarked: false });
  expect(fourth).toMatchObject({ text: "seven\n", isMarked: true });
  expect(fifth).toMatchObject({ isMarked: false });
});

test("commands are the lines of a block, joined where they go on, parted at &&", () => {
  const [first, , , , last] = blocksOf("a.md", page);
  expect(commandsOf(first!).map(({ text }) => text)).toEqual(["one two", "three", "four 'a # b' five"]);
  expect(commandsOf(last!).map(({ text, isMarked }) => [text, isMarked])).toEqual([
    ["eight", false],
    ["nine", true],
  ]);
});

test("a block that does not end is an error", () => {
  expect(() => blocksOf("a.md", "```sh\nls\n")).toThrow("a.md:1");
});
