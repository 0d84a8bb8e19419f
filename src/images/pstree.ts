import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The first two words of the file: see image-file.ts. */
const MAGIC = [0x54564319, 0x50273030] as const;
const HEADER_SIZE = 8;
/** The protobuf tag of `pid`, the first field of an entry. */
const PID_TAG = 0x08;

/**
 * Reads the pids that the processes of a dumped tree had in their own pid namespace, the root's first.
 * Stops at what cannot be read: CRIU reports damaged images itself. Synchronous and decoded by hand,
 * because every restore does it before criu starts.
 */
export function treePids(directory: string): number[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(join(directory, 'pstree.img'));
  } catch {
    return [];
  }
  if (bytes.length < HEADER_SIZE) return [];
  if (MAGIC.some((magic, index) => bytes.readUInt32LE(4 * index) !== magic)) return [];
  // Entries follow, each preceded by its length.
  const pids: number[] = [];
  for (let at = HEADER_SIZE; at + 4 < bytes.length; ) {
    const start = at + 4;
    at = start + bytes.readUInt32LE(at);
    const pid = pidOf(bytes.subarray(start, at));
    if (pid === undefined) break;
    pids.push(pid);
  }
  return pids;
}

function pidOf(entry: Uint8Array): number | undefined {
  if (entry[0] !== PID_TAG) return undefined;
  let pid = 0;
  for (const [index, byte] of entry.subarray(1, 6).entries()) {
    pid += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return pid > 0 && pid <= 0x7fffffff ? pid : undefined;
  }
  return undefined;
}
