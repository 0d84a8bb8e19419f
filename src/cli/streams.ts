import { createWriteStream, fstatSync, fsyncSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { isatty } from 'node:tty';
import { type Command, Option } from 'commander';
import {
  type Criu,
  CriuError,
  type DumpStreamOptions,
  type DumpStreamResult,
  type StreamCompression,
  type StreamEncryption,
} from '../index.ts';
import { defined } from './flags.ts';
import { RARE } from './help.ts';

/** The flags of a verb that can write images to standard output, or read them from standard input. */
export interface StreamFlags {
  readonly stream?: boolean;
  readonly compression?: StreamCompression;
  readonly keyFile?: string;
  readonly passphraseFile?: string;
}

/** How many bytes a key has. */
const KEY_SIZE = 32;

/** Adds the flags of {@link StreamFlags}. */
export function addStreamFlags(command: Command, verb: 'dump' | 'restore'): Command {
  const where =
    verb === 'dump' ? 'write the images to standard output' : 'read the images from standard input';
  command.option('--stream', `${where}, without -D (CRIU 4.3 or newer)`);
  command.addOption(new Option('--no-stream').hideHelp());
  if (verb === 'dump') {
    const compression = new Option('--compression <name>', 'with --stream: compress the images');
    command.addOption(compression.choices(['gzip', 'zstd']));
  }
  const what = verb === 'dump' ? 'encrypt' : 'decrypt';
  const secrets = [
    new Option(
      '--key-file <file>',
      `with --stream: ${what} with this key: 32 bytes or 64 hex digits`,
    ),
    new Option('--passphrase-file <file>', `with --stream: ${what} with this passphrase`),
  ];
  for (const secret of secrets) command.addOption(secret.helpGroup(RARE));
  return command;
}

/**
 * What is wrong with the combination of flags; with -D, --stream is CRIU's own option.
 * @param isOutput true if the images go to standard output, else they come from standard input
 */
export function wrongStream(
  flags: StreamFlags & { readonly imagesDirectory?: unknown; readonly json?: boolean },
  isOutput: boolean,
): string | undefined {
  const { stream, imagesDirectory, json, compression, keyFile, passphraseFile } = flags;
  if (imagesDirectory === undefined && !stream) {
    return "required option '-D, --images-directory <dir>' not specified";
  }
  const isStreamed = isStreaming(flags);
  if (!isStreamed && (compression ?? keyFile ?? passphraseFile) !== undefined) {
    return '--compression, --key-file and --passphrase-file go with --stream, without -D';
  }
  if (keyFile !== undefined && passphraseFile !== undefined) {
    return 'give only one of --key-file and --passphrase-file';
  }
  if (!isStreamed) return undefined;
  if (isatty(isOutput ? 1 : 0)) {
    return isOutput
      ? 'standard output is a terminal: redirect it to a file or a program'
      : 'standard input is a terminal: redirect it from a file or a program';
  }
  return isOutput && json
    ? '--json does not go with --stream: standard output has the images'
    : undefined;
}

/** True if the images go through a standard stream. */
export function isStreaming(flags: StreamFlags & { readonly imagesDirectory?: unknown }): boolean {
  return flags.stream === true && flags.imagesDirectory === undefined;
}

/** The option `encryption` of the flags; undefined without a key. */
export async function encryptionOf({
  keyFile,
  passphraseFile,
}: StreamFlags): Promise<StreamEncryption | undefined> {
  if (keyFile !== undefined)
    return { key: keyIn(await readSecret('--key-file', keyFile), keyFile) };
  if (passphraseFile === undefined) return undefined;
  const text = (await readSecret('--passphrase-file', passphraseFile)).toString('utf8');
  return { passphrase: text.replace(/\r?\n$/, '') };
}

/**
 * Dumps to standard output. The processes end only after all of it is written: to a file, when it is on the
 * disk; to a pipe, when the pipe has taken it.
 */
export async function dumpToOutput(
  criu: Criu,
  pid: number,
  options: DumpStreamOptions,
): Promise<DumpStreamResult> {
  const { target, sync } = standardOutput();
  let stored: Promise<void> | undefined;
  const confirm = async () => {
    await stored;
    sync();
  };
  const stream = await criu.dumpStream(pid, { ...options, confirm });
  stored = pipeline(stream, target);
  // The error of the dump says more.
  stored.catch(() => {});
  return await stream.result;
}

/** Standard output, which must not block the event loop while nobody reads: Ctrl-C cancels the dump. */
function standardOutput(): { target: NodeJS.WritableStream; sync: () => void } {
  const stats = fstatSync(1);
  if (stats.isFIFO() || stats.isSocket()) {
    return { target: new Socket({ fd: 1, readable: false, writable: true }), sync: () => {} };
  }
  const target = createWriteStream('', { fd: 1, autoClose: false });
  return { target, sync: () => stats.isFile() && fsyncSync(1) };
}

async function readSecret(flag: string, path: string): Promise<Buffer> {
  return await readFile(path).catch((cause: Error) => {
    throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', `${flag}: ${cause.message}`, { cause });
  });
}

function keyIn(content: Buffer, path: string): Buffer {
  if (content.length === KEY_SIZE) return content;
  const digits = /^([0-9a-f]{64})\s*$/i.exec(content.toString('latin1'))?.[1];
  if (digits !== undefined) return Buffer.from(digits, 'hex');
  const message = `--key-file: ${path} has neither ${KEY_SIZE} bytes nor 64 hex digits`;
  throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message);
}

/** The flags without those of a stream. */
export function withoutStreamFlags<O extends StreamFlags>(
  flags: O,
): Omit<O, keyof StreamFlags | 'imagesDirectory'> {
  const { stream, compression, keyFile, passphraseFile, ...rest } = flags;
  return defined(rest) as Omit<O, keyof StreamFlags | 'imagesDirectory'>;
}
