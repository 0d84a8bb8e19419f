import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { CriuError } from '../errors.ts';
import { contentOf, readEntries } from './archive-entries.ts';
import { BadStream, ByteInput } from './byte-input.ts';
import { type StreamEncryption, seal, unseal } from './encryption.ts';
import { endOfArchive, fileHeader, padding } from './tar.ts';

const READING = { highWaterMark: 1 << 18 } as const;

/** Writes an encrypted archive of files in a directory, and writes it to the disk. @throws an error of the system */
export async function writeSealed(
  target: FileHandle,
  directory: string,
  names: readonly string[],
  encryption: StreamEncryption,
): Promise<void> {
  for await (const chunk of seal(archiveOf(directory, names), encryption)) {
    await target.writeFile(chunk);
  }
  await target.sync();
}

/**
 * Decrypts an archive into a directory.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT if it is not encrypted with a secret of this kind, ERR_CRIU_BAD_IMAGE if
 * it was encrypted with another one, or is damaged
 */
export async function readSealed(
  operation: string,
  path: string,
  directory: string,
  encryption: StreamEncryption,
): Promise<void> {
  const source = createReadStream(path, READING);
  const chunks = source as AsyncIterable<Buffer>;
  const input = new ByteInput(unseal(operation, chunks, encryption, path));
  try {
    await readEntries(input, async (entry) => {
      await using file = await open(join(directory, entry.name), 'wx', 0o600);
      for await (const chunk of contentOf(input, entry)) await file.writeFile(chunk);
    });
  } catch (error) {
    if (!(error instanceof BadStream)) throw error;
    const { message: reason, offset } = error;
    const message = `${operation}: ${path} cannot be read: ${reason}`;
    throw new CriuError('ERR_CRIU_BAD_IMAGE', message, { operation, path, offset });
  } finally {
    await input.close();
    source.destroy();
  }
}

async function* archiveOf(
  directory: string,
  names: readonly string[],
): AsyncGenerator<Buffer, void> {
  const modified = Date.now();
  for (const name of names) {
    await using file = await open(join(directory, name));
    const { size } = await file.stat();
    yield fileHeader(name, size, modified);
    yield* file.createReadStream({ ...READING, autoClose: false }) as AsyncIterable<Buffer>;
    yield Buffer.alloc(padding(size));
  }
  yield endOfArchive();
}
