import { readFile } from "node:fs/promises";

/**
 * The text of a file.
 *
 * @throws {Error} that says which file cannot be read and why, in words that need no knowledge of errno
 */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new Error(errorWords(error, path), { cause: error });
  }
}

/**
 * What went wrong, for people: an error of the file system in the same words, any other error's own message.
 *
 * @param file what was to be read, where the error may not say
 */
export function errorWords(error: unknown, file?: string): string {
  if (!(error instanceof Error)) return String(error);
  const { code, path = file, syscall = "", message } = error as NodeJS.ErrnoException;
  if (!["open", "read", "scandir"].includes(syscall)) return message;
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return `there is no file ${path}`;
    case "EISDIR":
      return `${path ?? "what is named as a file"} is a folder; name a file in it`;
    case "EACCES":
    case "EPERM":
      return `${path} may not be read by this user`;
    default:
      return message;
  }
}
