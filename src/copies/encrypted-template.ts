import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { freemem } from 'node:os';
import { join, resolve } from 'node:path';
import { asCriuError, CriuError } from '../errors.ts';
import { ENCRYPTED_TEMPLATE, isCheckpoint } from '../images/image-names.ts';
import type { Client } from '../operations/client.ts';
import { type DumpOptions, type DumpResult, dump } from '../operations/dump.ts';
import { holdsAlready } from '../operations/staged-images.ts';
import { survivesDump } from '../operations/staging.ts';
import { MemoryDirectory } from '../process/memory-directory.ts';
import type { StreamEncryption } from '../stream/encryption.ts';
import { readSealed } from '../stream/sealed-file.ts';
import { SealedImages } from '../stream/sealed-images.ts';
import { TEMPLATE_FILE } from './template-file.ts';

/** Where a template is to be written, and how. */
export interface TemplatePlace {
  readonly imagesDirectory: string;
  readonly overwrite?: boolean | undefined;
  readonly encryption?: StreamEncryption | undefined;
}

/**
 * Refuses a directory that holds a template or another checkpoint, unless that is to be replaced by one of its kind:
 * nobody is to take one for the other, or to find the memory in images beside an encrypted one.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
export async function assertPlace(operation: string, place: TemplatePlace): Promise<void> {
  const { imagesDirectory: path, overwrite, encryption } = place;
  // A directory that cannot be read is refused when it is opened.
  const names = await readdir(path).catch((): string[] => []);
  const isEncrypted = names.includes(ENCRYPTED_TEMPLATE);
  if (!isEncrypted && !isCheckpoint(names)) return;
  if (!overwrite) throw holdsAlready(operation, path);
  if (isEncrypted === (encryption !== undefined)) return;
  const kind = isEncrypted ? 'an encrypted template' : 'a checkpoint that is not encrypted';
  const message = `${operation}: imagesDirectory ${path} holds ${kind}: name another directory, or remove it`;
  const facts = { operation, option: 'imagesDirectory' };
  throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, facts);
}

/**
 * Dumps into an encrypted file in the images directory. CRIU's log and statistics are beside it.
 * @param complete completes the images, before they are encrypted
 */
export async function encryptedDump(
  client: Client,
  pid: number,
  options: DumpOptions & { readonly imagesDirectory: string },
  encryption: StreamEncryption,
  complete: (directory: string) => Promise<void>,
): Promise<DumpResult> {
  const { imagesDirectory } = options;
  using memory = MemoryDirectory.make('dump');
  const forCriu = { ...options, imagesDirectory: memory.path, workDirectory: imagesDirectory };
  const result = await dump(client, 'dump', pid, forCriu, {
    openImages: async (_, describe) =>
      new SealedImages(memory, {
        path: resolve(imagesDirectory, ENCRYPTED_TEMPLATE),
        encryption,
        survives: survivesDump(options),
        others: [TEMPLATE_FILE],
        complete: async (directory) => {
          await complete(directory);
          await describe(directory);
        },
      }),
  });
  return { ...result, imagesDirectory };
}

/**
 * Decrypts a template into memory.
 * @throws CriuError ERR_CRIU_BAD_IMAGE if the directory holds no template, if it is damaged, or encrypted with another
 * key; ERR_CRIU_INVALID_ARGUMENT if it is not encrypted with a secret of this kind
 */
export async function decryptTemplate(
  operation: string,
  directory: string,
  encryption: StreamEncryption,
): Promise<MemoryDirectory> {
  const path = join(directory, ENCRYPTED_TEMPLATE);
  if (!existsSync(path)) throw withoutFile(operation, directory);
  await assertMemoryFor(operation, path);
  const memory = MemoryDirectory.make(operation);
  try {
    await readSealed(operation, path, memory.path, encryption);
    return memory;
  } catch (error) {
    memory[Symbol.dispose]();
    throw asCriuError(operation, error);
  }
}

/** @throws CriuError ERR_CRIU_INVALID_ARGUMENT if a template can be read only with a secret */
export function assertNotEncrypted(operation: string, directory: string): void {
  if (!existsSync(join(directory, ENCRYPTED_TEMPLATE))) return;
  const message = `${operation}: the template in ${directory} is encrypted: give the option encryption with its key`;
  const facts = { operation, option: 'encryption' };
  throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, facts);
}

/** The kernel would end other processes for memory that cannot be swapped out. @throws CriuError ERR_CRIU_SYSTEM */
async function assertMemoryFor(operation: string, path: string): Promise<void> {
  const { size } = await stat(path);
  const free = freemem();
  if (size <= free) return;
  const message = `${operation}: ${path} takes ${size} bytes of memory, of which ${free} are free`;
  throw new CriuError('ERR_CRIU_SYSTEM', message, { operation, path });
}

function withoutFile(operation: string, directory: string): CriuError {
  if (existsSync(join(directory, TEMPLATE_FILE))) {
    const message = `${operation}: the template in ${directory} is not encrypted: leave out the option encryption`;
    const facts = { operation, option: 'encryption' };
    return new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, facts);
  }
  const message = `${operation}: ${directory} holds no template: there is no ${ENCRYPTED_TEMPLATE}`;
  return new CriuError('ERR_CRIU_BAD_IMAGE', message, { operation });
}
