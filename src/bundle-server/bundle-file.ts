import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";

// The file that a builder hands over (src/scripts/build-bundle.sh): an uncompressed tar, what describes it first. It was
// made by a container in which packages run scripts of their own as root, so nothing is assumed about it. Runner pods check
// the rest of it against their own files.

/** What a bundle says of itself. */
export interface BundleHead {
  /** Milliseconds since 1970. */
  readonly built: number;
  readonly architecture: string;
  readonly packages: readonly string[];
}

const block = 512;
/** Of bundles as they are made there are a dozen. */
const mostMembers = 100;
/** The members that describe it, which come first, and the bytes that each may have. */
const described = { bundle: 64 * 1024, packages: 1024 * 1024 };

/**
 * Reads what a bundle says of itself, and goes through the headers of all its members.
 *
 * @throws {Error} in words for an administrator, if it is no bundle of the format that this version knows
 */
export async function readBundleHead(path: string): Promise<BundleHead> {
  const file = await open(path);
  try {
    const members = await listMembers(file, (await file.stat()).size);
    const values = keyValues(await textOf(file, members[0], "bundle"));
    if (values.get("format") !== "1") throw new Error(`it has the format ${values.get("format")}, and only 1 is known`);
    const [built, architecture] = [Number(values.get("built")) * 1000, values.get("architecture")];
    if (!(built > 0) || !architecture) throw new Error("its member bundle lacks built or architecture");
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
    if (at > end) throw new Error(`it ends in the middle of ${JSON.stringify(member.name)}`);
    if (members.length > mostMembers) throw new Error(`it has more than ${mostMembers} members`);
  }
}

/** A header of a ustar or GNU tar (POSIX.1, pax; tar's tar.h), of a regular file. */
function readHeader(header: Buffer): { name: string; size: number } {
  const field = (from: number, length: number) =>
    header.toString("latin1", from, from + length).replace(/[\0 ][^]*$/, "");
  const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
  if (Number.parseInt(field(148, 8), 8) !== sum) throw new Error("it is no tar archive");
  const [name, type] = [field(0, 100), header[156]];
  if (type !== 0 && type !== 0x30) throw new Error(`its member ${JSON.stringify(name)} is no regular file`);
  // GNU tar writes sizes from 8 GiB on in binary, with the first bit set.
  const size = header[124]! & 0x80 ? Number(header.readBigUInt64BE(128)) : Number.parseInt(field(124, 12), 8);
  if (!(size >= 0)) throw new Error(`its member ${JSON.stringify(name)} has no size`);
  return { name, size };
}

async function textOf(file: FileHandle, member: Member | undefined, name: keyof typeof described): Promise<string> {
  if (member?.name !== name) throw new Error(`it has no member ${name} where a bundle has it`);
  if (member.size > described[name]) throw new Error(`its member ${name} is larger than ${described[name]} bytes`);
  return (await bytesAt(file, member.offset, member.size)).toString("utf8");
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead < length) throw new Error("it ends too early");
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
