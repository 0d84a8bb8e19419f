import type { MmEntry } from '../../generated/images/types.ts';
import { escapedText } from '../../protobuf/escaped-bytes.ts';
import { readMemory } from '../memory/read-memory.ts';
import { redactArguments, redactEnvironment } from './secrets.ts';

/** The most that arguments or variables take: what the kernel allows by default, in bytes. */
const MAX_SIZE = 2n * 1024n * 1024n;

/** The command line and the environment of a process. */
export interface CommandLine {
  readonly args: readonly string[] | undefined;
  readonly environment: readonly string[] | undefined;
}

/** Where to find memory, and whether secrets may be shown. */
export interface CommandLineOptions {
  readonly directory: string;
  readonly pid: number;
  readonly pageSize: number;
  readonly secrets: boolean;
}

/**
 * Reads the command line and the environment of a process from its memory.
 * @throws CriuError ERR_CRIU_BAD_IMAGE
 */
export async function readCommandLine(
  mm: MmEntry,
  { secrets, ...options }: CommandLineOptions,
): Promise<CommandLine> {
  const args = await stringsIn(mm.mm_arg_start, mm.mm_arg_end, options);
  const environment = await stringsIn(mm.mm_env_start, mm.mm_env_end, options);
  if (secrets) return { args, environment };
  return {
    args: args && redactArguments(args),
    environment: environment && redactEnvironment(environment),
  };
}

/** The strings between two addresses, each with a zero at its end; undefined if a page is in no image. */
async function stringsIn(
  start: bigint,
  end: bigint,
  { directory, pid, pageSize }: Omit<CommandLineOptions, 'secrets'>,
): Promise<string[] | undefined> {
  if (end < start) return undefined;
  const last = end - start > MAX_SIZE ? start + MAX_SIZE : end;
  const bytes = Buffer.alloc(Number(last - start));
  let filled = start;
  for await (const piece of readMemory(directory, { pid, start, end: last, pageSize })) {
    if (piece.address > filled) return undefined;
    piece.bytes.copy(bytes, Number(filled - start), Number(filled - piece.address));
    filled = piece.address + BigInt(piece.bytes.length);
  }
  if (filled < last) return undefined;
  return splitStrings(bytes);
}

/** A program that has changed its title may have left several zeros at the end. */
function splitStrings(bytes: Buffer): string[] {
  let length = bytes.length;
  while (length > 0 && bytes[length - 1] === 0) length--;
  if (length === 0) return [];
  const strings: string[] = [];
  for (let at = 0; at < length; ) {
    const next = bytes.indexOf(0, at);
    const end = next < 0 || next > length ? length : next;
    strings.push(escapedText(bytes.subarray(at, end)));
    at = end + 1;
  }
  return strings;
}
