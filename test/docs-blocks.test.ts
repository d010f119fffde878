import { expect, test } from "vitest";
import { blocksOf, commandsOf } from "./support/docs.ts";

// Tests how test/support/docs.ts reads code blocks, with an example page.

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

test("a block has its text without list indentation, and is marked by a paragraph above it or below its heading", () => {
  const [first, second, third, fourth, fifth] = blocksOf("a.md", page);
  expect(first).toMatchObject({ page: "a.md", line: 3, language: "sh", isMarked: false });
  expect(second).toMatchObject({ text: "six\n", isMarked: true });
  expect(third).toMatchObject({ language: "yaml", text: "a:\n  b: 1\n", isMarked: false });
  expect(fourth).toMatchObject({ text: "seven\n", isMarked: true });
  expect(fifth).toMatchObject({ isMarked: false });
});

test("each line of a block is a command; continued lines are joined, and && separates commands", () => {
  const [first, , , , last] = blocksOf("a.md", page);
  expect(commandsOf(first!).map(({ text }) => text)).toEqual(["one two", "three", "four 'a # b' five"]);
  expect(commandsOf(last!).map(({ text, isMarked }) => [text, isMarked])).toEqual([
    ["eight", false],
    ["nine", true],
  ]);
});

test("a block that is not closed is an error", () => {
  expect(() => blocksOf("a.md", "```sh\nls\n")).toThrow("a.md:1");
});
