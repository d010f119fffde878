import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));
const below = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((file) => join(folder, file));
const pages = [...readdirSync(root), ...below("docs"), ...below("charts")].filter((file) => file.endsWith(".md"));

const withoutBlocks = (text: string) => text.replaceAll(/^ *```[^]*?^ *```/gm, "");

/** The anchors that GitHub gives the headings of a page. */
function anchorsOf(page: string): string[] {
  const headings = withoutBlocks(readFileSync(page, "utf8")).match(/^#+ .*$/gm) ?? [];
  return headings.map((heading) =>
    heading
      .replace(/^#+ /, "")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

function targetExists(from: string, link: string): boolean {
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? from : join(dirname(from), path);
  if (!existsSync(target)) return false;
  return anchor === undefined || !target.endsWith(".md") || anchorsOf(target).includes(anchor);
}

test.each(pages)("the target of every relative link in %s exists, including anchors", (page) => {
  const text = withoutBlocks(readFileSync(join(root, page), "utf8"));
  const links = [...text.matchAll(/\]\(([^)\s]+)[^)]*\)/g)].map(([, target]) => target!);
  const broken = links.filter((link) => !/^[a-z]+:/.test(link) && !targetExists(join(root, page), link));
  expect(broken).toEqual([]);
});
