import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

test("the licences of the packages in the bundle go along with it", () => {
  const text = readFileSync(new URL("../dist/THIRD-PARTY-LICENSES.txt", import.meta.url), "utf8");
  for (const name of ["express", "zod", "pino", "yaml", "@peculiar/x509"])
    expect(text).toMatch(new RegExp(`^${name} \\d`, "m"));
  expect(text.match(/Permission is hereby granted/g)!.length).toBeGreaterThan(50);
  expect(text).toContain("Redistribution and use in source and binary forms");
});
