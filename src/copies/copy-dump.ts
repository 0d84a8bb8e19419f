import { allowAnyFile } from '../images/rewrite/external-files.ts';
import type { Client } from '../operations/client.ts';
import { type DumpOptions, type DumpResult, dump } from '../operations/dump.ts';
import { checkOptions, required, type Shape } from '../options/check.ts';
import { flag, text } from '../options/kinds.ts';
import { limits, milliseconds } from '../options/operation-options.ts';
import { readNamespaceSync } from '../procfs/namespaces.ts';
import type { StreamEncryption } from '../stream/encryption.ts';
import { encryption } from '../stream/stream-options.ts';
import { NETWORK } from './copy-network.ts';
import { externalAtDump } from './enclosures.ts';
import { assertPlace, encryptedDump } from './encrypted-template.ts';
import { GUEST_TIMEOUT_MS, type GuestChannel } from './guest-channel.ts';
import { type TemplateDescription, writeDescription } from './template-file.ts';
import type { TemplateOptions } from './template-options.ts';

/** Options of {@link TemplateCopy.dump}: those of a dump that do not follow from the copy. */
export interface CopyDumpOptions
  extends Pick<
    DumpOptions,
    'overwrite' | 'leaveRunning' | 'durable' | 'signal' | 'deadlineMs' | 'gracePeriodMs'
  > {
  /** Where the checkpoint is written: see {@link Criu.dump}. */
  imagesDirectory: string;
  /** How long the functions of `onBeforeCheckpoint()` may take, in milliseconds. Default 30000. */
  guestTimeoutMs?: number;
  /** Encrypts the checkpoint: see {@link TemplateOptions.encryption}. Default: not encrypted. */
  encryption?: StreamEncryption;
}

const shape: Shape<CopyDumpOptions> = {
  ...limits,
  imagesDirectory: required(text),
  overwrite: flag,
  leaveRunning: flag,
  durable: flag,
  guestTimeoutMs: milliseconds,
  encryption,
};

/** The program of a template, or a copy: what a dump needs to know of it. */
export interface DumpablePart {
  readonly client: Client;
  readonly description: Omit<TemplateDescription, 'formatVersion'>;
  /** CRIU's names of the files that it has of this process. */
  readonly external: readonly string[];
  /** The connection to its guest library, if it has loaded that. */
  readonly guest: GuestChannel | undefined;
  /** See {@link TemplateOptions.reportHandles}. */
  readonly reportHandles?: TemplateOptions['reportHandles'];
  /** Resolves when all of its memory is loaded, or it has been killed because that failed. */
  readonly memory?: Promise<unknown> | undefined;
}

/** Makes a checkpoint of a copy, or of the program of a template, which is a template. */
export async function dumpCopy(
  { client, description, external, guest, memory, reportHandles }: DumpablePart,
  pid: number,
  given: CopyDumpOptions,
): Promise<DumpResult> {
  const checked = checkOptions('dump', given, shape);
  const { guestTimeoutMs = GUEST_TIMEOUT_MS, encryption: secret, ...options } = checked;
  await assertPlace('dump', checked);
  const limit = { timeoutMs: guestTimeoutMs, signal: options.signal };
  await memory;
  let ready = false;
  try {
    const asked = { ...limit, reportHandles: reportHandles !== undefined };
    const { handles } = (await guest?.checkpoint(asked)) ?? {};
    ready = true;
    if (handles) await reportHandles?.(handles);
    const forCriu = {
      ...options,
      external: [...externalOf(pid, description), ...external],
      manageCgroupsMode: 'ignore',
      tcpClose: true,
      hooks: { postDump: allowAnyFile },
    } as const;
    const describe = (directory: string) => writeDescription(directory, description);
    const result = secret
      ? await encryptedDump(client, pid, forCriu, secret, describe)
      : await dump(client, 'dump', pid, forCriu);
    if (!secret) await describe(result.imagesDirectory);
    if (options.leaveRunning) await guest?.resume('the copy runs on', limit);
    return result;
  } catch (error) {
    // Without an answer it may wait for one of ours.
    const { code, message } = error as { code?: string; message: string };
    if (ready || code !== 'ERR_CRIU_GUEST') await guest?.resume(message, limit).catch(() => {});
    throw error;
  }
}

/** What is outside the namespaces of a program. */
function externalOf(pid: number, { mounts, namespaces }: DumpablePart['description']): string[] {
  const external = externalAtDump(mounts);
  if (!namespaces.includes('net')) return external;
  const [inode] = /\d+/.exec(readNamespaceSync(pid, 'net') ?? '') ?? [];
  return [...external, `net[${inode}]:${NETWORK}`];
}
