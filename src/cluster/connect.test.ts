import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { connectCluster } from "./connect.ts";
import { readKubeconfig } from "./kubeconfig.ts";

// A simple API server over plain HTTP. test/cluster/doctor.apiserver.test.ts uses a real one.

const folder = mkdtempSync(join(tmpdir(), "arc-primer-kubeconfig-"));
afterAll(() => rmSync(folder, { recursive: true }));

function kubeconfig(name: string, server: string, changes: object = {}): string {
  const file = join(folder, name);
  const content = {
    clusters: [{ name: "c", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "u", user: { token: "secret" } }],
    contexts: [
      { name: "x", context: { cluster: "c", user: "u", namespace: "ci" } },
      { name: "broken", context: { cluster: "gone", user: "u" } },
    ],
    "current-context": "x",
    ...changes,
  };
  writeFileSync(file, JSON.stringify(content));
  return file;
}

type Respond = (request: IncomingMessage, response: ServerResponse) => void;

/** Starts an API server that serves `/version` itself and passes all other requests to `respond`. */
async function withServer<T>(respond: Respond, use: (file: string) => Promise<T>): Promise<T> {
  const server = createServer((request, response) => {
    if (request.url !== "/version") return respond(request, response);
    return answer(response, 200, { major: "1", minor: "37", gitVersion: "v1.37.2" });
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  try {
    return await use(kubeconfig("server", `http://localhost:${(server.address() as AddressInfo).port}/`));
  } finally {
    server.close();
  }
}

function answer(response: ServerResponse, status: number, object: object, warning?: string): void {
  response.writeHead(status, { "content-type": "application/json", ...(warning && { warning }) });
  response.end(JSON.stringify(object));
}

const messageOf = (file: string, context?: string) =>
  connectCluster({ kubeconfig: file, ...(context !== undefined && { context }) }).then(
    () => "connected",
    (error: Error) => error.message,
  );

describe("the reason why a cluster cannot be read:", () => {
  test("the file is missing", async () => {
    expect(await messageOf(join(folder, "nothing"))).toBe(
      `found no kubeconfig at ${folder}/nothing: specify one with --kubeconfig or the environment variable KUBECONFIG`,
    );
  });

  test("the file is not a kubeconfig", async () => {
    const file = join(folder, "garbage");
    writeFileSync(file, "[");
    expect(await messageOf(file)).toContain(`${file} cannot be read as a kubeconfig: `);
    writeFileSync(file, "");
    expect(await messageOf(file)).toContain(`${file} cannot be read as a kubeconfig: `);
  });

  test("the context, the current context or the cluster is missing", async () => {
    const file = kubeconfig("contexts", "https://localhost:9");
    expect(await messageOf(file, "y")).toBe(`there is no context y in ${file}; its contexts are x, broken`);
    expect(await messageOf(file, "broken")).toContain("refers to a cluster that is not defined there");
    const without = kubeconfig("no-current", "https://localhost:9", { "current-context": "" });
    expect(await messageOf(without)).toContain("has no current context: choose one with --context");
  });

  test("the API server is down", async () => {
    const message = await messageOf(kubeconfig("down", "https://localhost:9"));
    expect(message).toMatch(/^the API server at https:\/\/localhost:9 cannot be reached: .*ECONNREFUSED/);
  });

  test("the credential plugin fails", async () => {
    const exec = {
      apiVersion: "client.authentication.k8s.io/v1",
      command: "sh",
      args: ["-c", "echo log in >&2; exit 3"],
    };
    const file = kubeconfig("plugin", "https://localhost:9", { users: [{ name: "u", user: { exec } }] });
    expect(await messageOf(file)).toBe("cannot get credentials for the kubeconfig user u: log in");
  });

  test("the credentials are not accepted", async () => {
    const server = createServer((_request, response) => answer(response, 401, { message: "Unauthorized" }));
    await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
    const file = kubeconfig("unauthorized", `http://localhost:${(server.address() as AddressInfo).port}`);
    expect(await messageOf(file)).toContain("does not accept the credentials of the context x");
    server.close();
  });
});

test("several files in KUBECONFIG are merged: missing files are ignored, and the first definition of a name wins", () => {
  const before = process.env["KUBECONFIG"];
  const [first, second] = [kubeconfig("first", "https://one:1"), kubeconfig("second", "https://two:2")];
  const other = { contexts: [{ name: "y", context: { cluster: "c", user: "u" } }], "current-context": "y" };
  process.env["KUBECONFIG"] = [join(folder, "gone"), first, kubeconfig("third", "https://three:3", other), second].join(
    ":",
  );
  try {
    expect(readKubeconfig({}).getCurrentCluster()?.server).toBe("https://one:1");
    expect(readKubeconfig({ context: "y" }).getCurrentContext()).toBe("y");
  } finally {
    if (before === undefined) delete process.env["KUBECONFIG"];
    else process.env["KUBECONFIG"] = before;
  }
});

describe("reading", () => {
  test("returns found, forbidden, missing or failed", async () => {
    const statuses: Record<string, number> = { "/found": 200, "/forbidden": 403, "/missing": 404, "/failed": 500 };
    const seen = await withServer(
      ({ url = "", headers }, response) => answer(response, statuses[url]!, { message: headers.authorization }),
      async (file) => {
        const cluster = await connectCluster({ kubeconfig: file });
        expect(cluster).toMatchObject({ context: "x", namespace: "ci", version: { found: { minor: "37" } } });
        return Promise.all(Object.keys(statuses).map((path) => cluster.get(path)));
      },
    );
    expect(seen).toEqual([
      { found: { message: "Bearer secret" } },
      { forbidden: "Bearer secret" },
      { missing: "Bearer secret" },
      { failed: "reading /failed: the API server returned 500: Bearer secret" },
    ]);
  });

  test("a connection error after the first request is returned as failed", async () => {
    const seen = await withServer(
      ({ socket }) => void socket.destroy(),
      async (file) => (await connectCluster({ kubeconfig: file })).get("/x"),
    );
    expect(seen).toEqual({ failed: expect.stringContaining("cannot be reached: socket hang up") });
  });

  test("a list is read page by page, and its items have their kind", async () => {
    const seen = await withServer(
      ({ url = "" }, response) => {
        const isFirst = !url.includes("continue=");
        const items = [{ metadata: { name: isFirst ? "a" : "b" } }];
        const metadata = isFirst ? { continue: "more" } : {};
        answer(response, 200, { apiVersion: "v1", kind: "PodList", metadata, items });
      },
      async (file) => (await connectCluster({ kubeconfig: file })).list("/api/v1/pods", { labelSelector: "a=b" }),
    );
    const pod = { apiVersion: "v1", kind: "Pod" };
    expect(seen).toEqual({
      found: [
        { ...pod, metadata: { name: "a" } },
        { ...pod, metadata: { name: "b" } },
      ],
    });
  });
});

test("creating returns the response and its warnings", async () => {
  const seen = await withServer(
    (request, response) => answer(response, 201, { path: request.url }, '299 - "unknown field \\"a\\""'),
    async (file) => (await connectCluster({ kubeconfig: file })).create("/pods", {}, { dryRun: "All" }),
  );
  expect(seen).toEqual({ status: 201, object: { path: "/pods?dryRun=All" }, warnings: ['unknown field "a"'] });
});
