import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { MemoryPattern } from '../images.ts';
import { addJson, defined } from './flags.ts';
import { addHelp, RARE } from './help.ts';
import { type MemoryRange, memoryRange, piecesWithin, rawBytes } from './memory-range.ts';
import {
  formatFiles,
  formatMappings,
  formatMatch,
  formatProcesses,
  matchProperties,
  sizeProperties,
} from './memory-text.ts';
import type { Output } from './output.ts';
import { count, formatBytes, pid } from './quantities.ts';
import { printable } from './text-layout.ts';
import { withOutput } from './verb.ts';

interface MemoryFlags {
  readonly pid?: number;
  readonly files?: true;
  readonly search?: string;
  readonly searchRegex?: RegExp;
  readonly searchHex?: Buffer;
  readonly encoding?: MemoryPattern['encoding'];
  readonly context?: number;
  readonly limit?: number;
  readonly read?: MemoryRange;
  readonly raw?: true;
  readonly core?: true;
  readonly output?: string;
  readonly json?: boolean;
}

const description = [
  'Show how much memory the processes of a dump have and where it is, search it, read a range, or write a process as a ' +
    'core file for gdb.',
  'The memory of earlier rounds is included, and shared memory in each process that has mapped it. Of mapped files the ' +
    'images have only the pages that the process has changed; a core file gets the others from the files, if they are ' +
    'as large as they were.',
  '--search-regex takes an expression of JavaScript for bytes, such as \\xff for one of them. Matches are cut to 4096 ' +
    'bytes. --raw prints zeros where the images have no bytes.',
].join('\n\n');

const examples = `
  $ node-criu memory images                        # the processes
  $ node-criu memory images --pid 4711             # the mappings of one
  $ node-criu memory images --search password= --context 32
  $ node-criu memory images --search-regex 'Bearer [A-Za-z0-9._-]+' --limit 10
  $ node-criu memory images --pid 4711 --read 7ffd1b2c3000+256
  $ node-criu memory images --pid 4711 --core -o core && gdb node core`;

/** Adds the verb `memory`. */
export function addMemory(program: Command): void {
  const encoding = new Option('--encoding <name>', 'encoding of the text; default: utf8');
  const command = addHelp(program.command('memory'), examples)
    .summary('show, search and read the memory of a dump')
    .description(description)
    .argument('<directory>', 'the images directory')
    .option('-p, --pid <pid>', 'this process only; shows its mappings', pid)
    .option('--files', 'with --pid: show the mapped files')
    .option('-s, --search <text>', 'print the places that have this text')
    .option('-r, --search-regex <expression>', 'print the places that match', expression)
    .option('--search-hex <bytes>', 'print the places that have these bytes', hex)
    .option('-c, --context <number>', 'print so many bytes around a match', count)
    .option('--read <range>', 'print START-END, START+SIZE, or all', memoryRange)
    .option('--raw', 'with --read: print the bytes themselves')
    .option('--core', 'write a core file; needs --pid and --output')
    .option('-o, --output <file>', 'write to this file')
    .option('--limit <number>', 'end after so many matches', count)
    .addOption(encoding.choices(['utf8', 'latin1', 'utf16le']).helpGroup(RARE));
  addJson(command).action(async (directory: string, flags: MemoryFlags) => {
    const error = wrongUse(flags);
    if (error) command.error(`error: ${error}`);
    await withOutput(flags, (output, signal) => run(directory, flags, output, signal));
  });
}

/** What is wrong with the combination of flags. */
function wrongUse(flags: MemoryFlags): string | undefined {
  const { search, searchRegex, searchHex, read, core, files, raw, output } = flags;
  const modes = [search, searchRegex, searchHex, read, core, files].filter(
    (one) => one !== undefined,
  );
  if (modes.length > 1) {
    return 'give only one of --search, --search-regex, --search-hex, --read, --core and --files';
  }
  if ((read || core || files) && flags.pid === undefined) return 'give the process with --pid';
  if (core && output === undefined) return 'give the core file with --output';
  if (output !== undefined && !core && !read) return '--output goes with --read or --core';
  if (raw && (!read || read.length === undefined)) return '--raw goes with --read and a range';
  return undefined;
}

async function run(
  directory: string,
  flags: MemoryFlags,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  if (flags.core) await core(directory, flags, output, signal);
  else if (flags.read) await read(directory, flags, flags.read, output, signal);
  else if (flags.files || (flags.search ?? flags.searchRegex ?? flags.searchHex) === undefined) {
    await sizes(directory, flags, output);
  } else await search(directory, flags, output, signal);
}

async function sizes(directory: string, flags: MemoryFlags, output: Output): Promise<void> {
  const { memorySizes } = await import('../images.ts');
  const processes = await memorySizes(directory, defined({ pid: flags.pid }));
  const [only] = processes;
  const format = flags.files ? formatFiles : formatMappings;
  const text = flags.pid !== undefined && only ? format(only) : formatProcesses(processes);
  output.result({ processes: processes.map(sizeProperties) }, text);
}

async function search(
  directory: string,
  { search: text, searchRegex: pattern, searchHex: bytes, ...flags }: MemoryFlags,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const { searchMemory } = await import('../images.ts');
  const { encoding, context, limit } = flags;
  const options = { text, pattern, bytes, encoding, context, limit, pid: flags.pid, signal };
  let matches = 0;
  for await (const match of searchMemory(directory, defined(options))) {
    matches++;
    const isRead = await output.part('match', () => matchProperties(match), formatMatch(match));
    if (!isRead) break;
  }
  output.result({ matches }, matches === 0 ? 'no match' : '');
}

async function read(
  directory: string,
  { pid, raw, output: path, json = false }: MemoryFlags,
  range: MemoryRange,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const { hexdump, readMemory } = await import('../images.ts');
  const { start, end } = range;
  const pieces = piecesWithin(readMemory(directory, defined({ pid, start, end })), range);
  if (json) {
    let size = 0;
    for await (const { address, bytes } of pieces) {
      size += bytes.length;
      const properties = { address: `0x${address.toString(16)}`, bytes: bytes.toString('hex') };
      if (!(await output.part('bytes', () => properties, ''))) break;
    }
    output.result({ bytes: size }, '');
    return;
  }
  const content = raw ? rawBytes(pieces, range) : hexdump(pieces);
  if (path !== undefined) {
    await pipeline(content, createWriteStream(path, { mode: 0o600 }), { signal });
    return;
  }
  for await (const chunk of content) {
    signal.throwIfAborted();
    if (!(await output.write(chunk))) break;
  }
}

async function core(
  directory: string,
  { pid, output: path = '' }: MemoryFlags,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const { writeCore } = await import('../images.ts');
  const { size, threads, missing } = await writeCore(directory, {
    pid: pid as number,
    path,
    signal,
  });
  const text = `wrote ${path}: ${formatBytes(size)}, ${threads === 1 ? '1 thread' : `${threads} threads`}`;
  for (const file of missing) {
    output.hint(`${path} lacks what ${printable(file)} has, which is not here as it was dumped`);
  }
  output.result({ path, size, threads, missing }, text);
}

function expression(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function hex(text: string): Buffer {
  const digits = text.replace(/\s/g, '');
  if (!/^([\da-f]{2})+$/i.test(digits)) throw new InvalidArgumentError('Give bytes such as 00ff.');
  return Buffer.from(digits, 'hex');
}
