import { readFile } from "node:fs/promises";

/**
 * Reads a text file.
 *
 * @throws {Error} with a readable message that contains the path and the reason
 */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new Error(errorMessage(error, path), { cause: error });
  }
}

/**
 * Returns a readable message for an error. Common file system errors get a plain sentence instead of an error code.
 *
 * @param file the path to use if the error does not contain one
 */
export function errorMessage(error: unknown, file?: string): string {
  if (!(error instanceof Error)) return String(error);
  const { code, path = file, syscall = "", message } = error as NodeJS.ErrnoException;
  if (!["open", "read", "scandir"].includes(syscall)) return message;
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return `${path} does not exist`;
    case "EISDIR":
      return `${path ?? "the given path"} is a directory, not a file`;
    case "EACCES":
    case "EPERM":
      return `no permission to read ${path}`;
    default:
      return message;
  }
}
