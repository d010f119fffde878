import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";

// The file that a builder creates (src/scripts/build-bundle.sh): an uncompressed tar archive that starts with two members that
// describe it. The builder runs the packages' own scripts as root, so its output is not trusted. Runner pods compare the other
// members with their own files.

/** The description at the start of a bundle. */
export interface BundleHead {
  /** Milliseconds since 1970. */
  readonly built: number;
  readonly architecture: string;
  readonly packages: readonly string[];
}

const block = 512;
/** The maximum number of members. The builder writes about a dozen. */
const maxMembers = 100;
/** The members that describe a bundle, which come first, with their maximum size in bytes. */
const headMembers = { bundle: 64 * 1024, packages: 1024 * 1024 };

/**
 * Reads the description of a bundle, and checks the headers of all its members.
 *
 * @throws {Error} with a message for administrators, if the file is not a bundle in a supported format
 */
export async function readBundleHead(path: string): Promise<BundleHead> {
  const file = await open(path);
  try {
    const members = await listMembers(file, (await file.stat()).size);
    const values = keyValues(await textOf(file, members[0], "bundle"));
    if (values.get("format") !== "1")
      throw new Error(`its format is ${values.get("format")}, but only format 1 is supported`);
    const [built, architecture] = [Number(values.get("built")) * 1000, values.get("architecture")];
    if (!(built > 0) || !architecture) throw new Error("its member bundle lacks the field built or architecture");
    const packages = (await textOf(file, members[1], "packages")).split("\n").filter(Boolean);
    return { built, architecture, packages };
  } finally {
    await file.close();
  }
}

interface Member {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

async function listMembers(file: FileHandle, end: number): Promise<Member[]> {
  const members: Member[] = [];
  for (let at = 0; ;) {
    const header = await bytesAt(file, at, block);
    if (header.every((byte) => byte === 0)) return members;
    const member = { ...readHeader(header), offset: at + block };
    members.push(member);
    at += block + block * Math.ceil(member.size / block);
    if (at > end) throw new Error(`it is truncated in the member ${JSON.stringify(member.name)}`);
    if (members.length > maxMembers) throw new Error(`it has more than ${maxMembers} members`);
  }
}

/** Parses a header of a ustar or GNU tar archive (POSIX.1, pax; tar.h of GNU tar). Only regular files are accepted. */
function readHeader(header: Buffer): { name: string; size: number } {
  const field = (from: number, length: number) =>
    header.toString("latin1", from, from + length).replace(/[\0 ][^]*$/, "");
  const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
  if (Number.parseInt(field(148, 8), 8) !== sum) throw new Error("it is not a tar archive");
  const [name, type] = [field(0, 100), header[156]];
  if (type !== 0 && type !== 0x30) throw new Error(`its member ${JSON.stringify(name)} is not a regular file`);
  // GNU tar writes sizes of 8 GiB and more in binary, with the first bit set.
  const size = header[124]! & 0x80 ? Number(header.readBigUInt64BE(128)) : Number.parseInt(field(124, 12), 8);
  if (!(size >= 0)) throw new Error(`its member ${JSON.stringify(name)} has an invalid size`);
  return { name, size };
}

async function textOf(file: FileHandle, member: Member | undefined, name: keyof typeof headMembers): Promise<string> {
  if (member?.name !== name) throw new Error(`its member ${name} is missing or not in its place`);
  if (member.size > headMembers[name]) throw new Error(`its member ${name} is larger than ${headMembers[name]} bytes`);
  return (await bytesAt(file, member.offset, member.size)).toString("utf8");
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead < length) throw new Error("it is truncated");
  return buffer;
}

function keyValues(text: string): Map<string, string> {
  return new Map(
    text.split("\n").flatMap((line): [string, string][] => {
      const at = line.indexOf("=");
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)]] : [];
    }),
  );
}
