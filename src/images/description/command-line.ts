import type { MmEntry } from '../../generated/images/types.ts';
import { escapedText } from '../../protobuf/escaped-bytes.ts';
import { MemoryChain } from '../memory/memory-chain.ts';
import { pagemapFileOf } from '../pagemap.ts';
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
 * Reads the command line and the environment of a process from its memory, which is private.
 * @throws CriuError ERR_CRIU_BAD_IMAGE
 */
export async function readCommandLine(
  operation: string,
  mm: MmEntry,
  { directory, pid, pageSize, secrets }: CommandLineOptions,
): Promise<CommandLine> {
  const memory = new MemoryChain(operation, directory, pagemapFileOf(pid), pageSize);
  try {
    const args = await stringsIn(memory, pageSize, mm.mm_arg_start, mm.mm_arg_end);
    const environment = await stringsIn(memory, pageSize, mm.mm_env_start, mm.mm_env_end);
    if (secrets) return { args, environment };
    return {
      args: args && redactArguments(args),
      environment: environment && redactEnvironment(environment),
    };
  } finally {
    await memory.close();
  }
}

/** The strings between two addresses, each with a zero at its end; undefined if a page is in no image. */
async function stringsIn(
  memory: MemoryChain,
  pageSize: number,
  start: bigint,
  end: bigint,
): Promise<string[] | undefined> {
  if (end < start) return undefined;
  const last = end - start > MAX_SIZE ? start + MAX_SIZE : end;
  const unit = BigInt(pageSize);
  const bytes = Buffer.alloc(Number(last - start));
  let filled = start;
  for await (const extent of memory.extents(
    start - (start % unit),
    last + ((unit - (last % unit)) % unit),
  )) {
    if (!extent.isPresent || extent.start > filled) return undefined;
    const to = extent.end < last ? extent.end : last;
    await extent.fill(bytes.subarray(Number(filled - start), Number(to - start)), filled);
    filled = to;
  }
  return filled < last ? undefined : splitStrings(bytes);
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
