import { createWriteStream, fstatSync, fsyncSync } from 'node:fs';
import { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { isatty } from 'node:tty';
import { type Command, Option } from 'commander';
import type { Criu, DumpStreamOptions, DumpStreamResult, StreamCompression } from '../index.ts';
import { defined } from './flags.ts';
import { RARE } from './help.ts';
import { type SecretFlags, secretOptions, wrongSecret } from './secrets.ts';

/** The flags of a verb that can write images to standard output, or read them from standard input. */
export interface StreamFlags extends SecretFlags {
  readonly stream?: boolean;
  readonly compression?: StreamCompression;
}

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
  const secrets = secretOptions(`with --stream: ${what}`);
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
  const wrong = wrongSecret(flags);
  if (wrong !== undefined || !isStreamed) return wrong;
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

/** The flags without those of a stream. */
export function withoutStreamFlags<O extends StreamFlags>(
  flags: O,
): Omit<O, keyof StreamFlags | 'imagesDirectory'> {
  const { stream, compression, keyFile, passphraseFile, ...rest } = flags;
  return defined(rest) as Omit<O, keyof StreamFlags | 'imagesDirectory'>;
}
