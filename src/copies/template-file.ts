import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CriuError } from '../errors.ts';
import { isRecord } from '../options/check.ts';
import { remoteFiles } from '../process/files.ts';
import { replaceText } from '../process/replaced-file.ts';
import type { HostMount } from './host-mounts.ts';
import type { StreamNames } from './stream-names.ts';
import type { TemplateNamespace } from './template-options.ts';

/** The name of the file beside the images. */
export const TEMPLATE_FILE = 'template.json';
const FORMAT_VERSION = 1;
/** A file of more bytes is none of ours. */
const MAX_BYTES = 1 << 20;

/** What copies need to know of their template, besides its images. */
export interface TemplateDescription {
  readonly formatVersion: number;
  /** The program, as it was started. */
  readonly command: readonly string[];
  readonly namespaces: readonly TemplateNamespace[];
  readonly mounts: readonly HostMount[];
  readonly files: ExternalFiles;
  /** What uses the connection to the guest library; undefined if the program does not. */
  readonly guest?: { readonly language: string; readonly version: string };
}

/** CRIU's names of the files that a copy gets of the process that starts it: keys of inheritFd. */
export interface ExternalFiles {
  readonly streams: StreamNames;
  /** The connection to the guest library in the program. */
  readonly guest: string;
  /** A connection of the init. */
  readonly life: string;
}

/** Writes the description, which makes a template of the images in the directory. @throws an error of the system */
export async function writeDescription(
  directory: string,
  description: Omit<TemplateDescription, 'formatVersion'>,
): Promise<void> {
  const text = JSON.stringify({ formatVersion: FORMAT_VERSION, ...description }, undefined, 2);
  await replaceText(join(directory, TEMPLATE_FILE), `${text}\n`, remoteFiles, true);
}

/** Reads the description. @throws CriuError ERR_CRIU_BAD_IMAGE if the directory has none, or a damaged one */
export async function readDescription(
  operation: string,
  directory: string,
): Promise<TemplateDescription> {
  const path = join(directory, TEMPLATE_FILE);
  const refuse = (reason: string, cause?: unknown) =>
    new CriuError('ERR_CRIU_BAD_IMAGE', `${operation}: ${reason}`, { operation, cause });
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw refuse(
      isMissing
        ? `${directory} holds no template: there is no ${TEMPLATE_FILE}`
        : (cause as Error).message,
      cause,
    );
  }
  if (text.length > MAX_BYTES) throw refuse(`${path} is too large`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refuse(`${path} is damaged: ${(cause as Error).message}`, cause);
  }
  if (isRecord(value) && Number(value.formatVersion) > FORMAT_VERSION) {
    throw refuse(`${path} was written by a newer node-criu`);
  }
  if (!isDescription(value)) throw refuse(`${path} is damaged`);
  return value;
}

function isDescription(value: unknown): value is TemplateDescription {
  if (!isRecord(value) || value.formatVersion !== FORMAT_VERSION) return false;
  const { command, namespaces, mounts, files, guest } = value;
  const streams = isRecord(files) && isRecord(files.streams) ? files.streams : {};
  return (
    isTexts(command) &&
    isTexts(namespaces) &&
    Array.isArray(mounts) &&
    mounts.every((mount) => isRecord(mount) && isTexts([mount.path, mount.name])) &&
    isRecord(files) &&
    isTexts([streams.stdin, streams.stdout, streams.stderr, files.guest, files.life]) &&
    (guest === undefined || (isRecord(guest) && isTexts([guest.language, guest.version])))
  );
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
