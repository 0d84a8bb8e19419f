import { readFile } from 'node:fs/promises';
import { Option } from 'commander';
import { CriuError, type StreamEncryption } from '../index.ts';

/** The flags of a secret to encrypt or decrypt with. */
export interface SecretFlags {
  readonly keyFile?: string;
  readonly passphraseFile?: string;
}

/** How many bytes a key has. */
const KEY_SIZE = 32;

/**
 * Makes the options of {@link SecretFlags}.
 * @param what what is done with the secret
 */
export function secretOptions(what: string): [Option, Option] {
  return [
    new Option('--key-file <file>', `${what} with this key: 32 bytes or 64 hex digits`),
    new Option('--passphrase-file <file>', `${what} with this passphrase`),
  ];
}

/** What is wrong with the combination of flags. */
export function wrongSecret({ keyFile, passphraseFile }: SecretFlags): string | undefined {
  return keyFile !== undefined && passphraseFile !== undefined
    ? 'give only one of --key-file and --passphrase-file'
    : undefined;
}

/** The option `encryption` of the flags; undefined without a key. */
export async function encryptionOf({
  keyFile,
  passphraseFile,
}: SecretFlags): Promise<StreamEncryption | undefined> {
  if (keyFile !== undefined)
    return { key: keyIn(await readSecret('--key-file', keyFile), keyFile) };
  if (passphraseFile === undefined) return undefined;
  const text = (await readSecret('--passphrase-file', passphraseFile)).toString('utf8');
  return { passphrase: text.replace(/\r?\n$/, '') };
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
