import { CriuError } from '../errors.ts';
import type { GuestHandle } from '../guest/protocol.ts';
import { assertUser, type ProgramOptions, programShape } from '../launch/launch-options.ts';
import { type Check, check, checkOptions, object, required, type Shape } from '../options/check.ts';
import { directory, each, flag, integer, isText, text } from '../options/kinds.ts';
import { abortSignal, milliseconds } from '../options/operation-options.ts';
import type { DescriptorLike } from '../options/types.ts';
import type { StreamEncryption } from '../stream/encryption.ts';
import { encryption } from '../stream/stream-options.ts';
import { GUEST_TIMEOUT_MS } from './guest-channel.ts';
import { isHttpUrl } from './http-probe.ts';

/** Which sign says that the program of a template is ready for its checkpoint: exactly one of these. */
export interface TemplateReadiness {
  /** A GET of this `http:` URL is answered with a status below 400. */
  url?: string;
  /** The program or a descendant listens on this TCP port. */
  port?: number;
  /** The program has written a line that contains this text to its standard output or error. */
  line?: string;
  /** This file exists, as the program sees it. */
  file?: string;
}

/** Requests that are sent to a template before its checkpoint, so that its code is compiled and its caches are full. */
export interface TemplateWarmUp {
  /** An `http:` URL to GET. */
  url: string;
  /** How many requests are sent, one after the other. Default 10. */
  requests?: number;
}

/** A namespace that a template can have of its own, besides those of pids and mounts. */
export type TemplateNamespace = 'ipc' | 'net' | 'uts';

/** Options of {@link Criu.template}. Relative paths start at the directory of this process. */
export interface TemplateOptions extends ProgramOptions {
  /** Where the checkpoint is written; made with mode 0700. Its files hold the memory of the program, secrets included. */
  imagesDirectory: string;
  /**
   * Encrypts the checkpoint with AES-256-GCM: the directory then has the memory in one file, `template.enc`, and no disk
   * ever has it otherwise. The images are in memory that is not swapped out (ramfs) while they are written, and while
   * the template is open. Needs Linux 5.2. Default: not encrypted.
   */
  encryption?: StreamEncryption;
  /**
   * When the program is ready. Default: when it calls `checkpoint()` of `node-criu/guest`.
   */
  ready?: TemplateReadiness;
  /** How long the program may take to become ready, in milliseconds. Default 60000. */
  readyTimeoutMs?: number;
  /** Requests to send once it is ready. Default: none. */
  warmUp?: TemplateWarmUp;
  /**
   * Namespaces of its own, besides those of pids and mounts, which it always has. With `net` each copy is in a
   * network of its own too. Default: none.
   */
  namespaces?: readonly TemplateNamespace[];
  /**
   * Paths of the host that the program needs and that are on other file systems than the root directory, the program
   * itself, its working directory, its arguments, /dev, /run, /sys and the directory of temporary files. It sees
   * these only. Default: none.
   */
  mounts?: readonly string[];
  /** Receives what the program writes to its standard output while it starts: a path, or a descriptor. Default: nobody. */
  stdout?: string | DescriptorLike;
  /** The same for its standard error. */
  stderr?: string | DescriptorLike;
  /** Replace the checkpoint in `imagesDirectory`. Default false: a directory with a checkpoint is refused. */
  overwrite?: boolean;
  /** How long the functions of `onBeforeCheckpoint()` may take, in milliseconds. Default 30000. */
  guestTimeoutMs?: number;
  /**
   * Called before the checkpoint, when the functions of `onBeforeCheckpoint()` are done, with what the program still has
   * open: copies do not have it, or not alone. If it throws or rejects, there is no checkpoint. Not called for a program
   * that does not use `node-criu/guest`. Node then records where everything is created, also in the copies, which slows
   * them down: use it to find what a function forgets. Default: none.
   */
  reportHandles?: (handles: readonly GuestHandle[]) => void | Promise<void>;
  /** Ends the start of the program, which is then killed. */
  signal?: AbortSignal;
}

/** Options of {@link Criu.openTemplate}. */
export interface OpenTemplateOptions {
  /** The key or passphrase of an encrypted template. One that is not encrypted is then refused. */
  encryption?: StreamEncryption;
}

/** Options of a template with their defaults. */
export type CheckedTemplateOptions = TemplateOptions &
  Required<Pick<TemplateOptions, 'readyTimeoutMs' | 'namespaces' | 'mounts' | 'guestTimeoutMs'>>;

const httpUrl = check('an http: URL', (value) => isText(value) && isHttpUrl(value));

/** A place for output: a path, or a descriptor. */
export const output = { ...directory, takes: 'a path or an open descriptor' };

const ONE_SIGN = 'one of { url }, { port }, { line } and { file }';

const readiness: Check = {
  ...check(ONE_SIGN, (value) => {
    const given = Object.values(value as object).filter((one) => one !== undefined);
    return given.length === 1;
  }),
  read: object<TemplateReadiness>(
    { url: httpUrl, port: integer(1, 65_535), line: text, file: text },
    ONE_SIGN,
  ).read as NonNullable<Check['read']>,
};

const NAMESPACES: readonly unknown[] = ['ipc', 'net', 'uts'] satisfies TemplateNamespace[];

const shape: Shape<TemplateOptions> = {
  ...programShape,
  imagesDirectory: required(text),
  encryption,
  ready: readiness,
  readyTimeoutMs: milliseconds,
  warmUp: object<TemplateWarmUp>({ url: required(httpUrl), requests: integer(1, 1_000_000) }),
  namespaces: check("an array of 'ipc', 'net' and 'uts'", (value) => {
    return Array.isArray(value) && value.every((name) => NAMESPACES.includes(name));
  }),
  mounts: check('an array of absolute paths', (value) => {
    const isAbsolute = (path: unknown) => (isText(path) && path.startsWith('/') ? path : undefined);
    return Array.isArray(value) && each(value, isAbsolute) !== undefined;
  }),
  stdout: output,
  stderr: output,
  overwrite: flag,
  guestTimeoutMs: milliseconds,
  reportHandles: check('a function', (value) => typeof value === 'function'),
  signal: abortSignal,
};

/** Validates the options of a template. @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export function checkTemplateOptions(
  operation: string,
  given: TemplateOptions,
): CheckedTemplateOptions {
  const checked = checkOptions(operation, given, shape);
  assertUser(operation, checked);
  if (process.geteuid?.() !== 0) {
    const message = `${operation}: the namespaces of a template need root`;
    throw new CriuError('ERR_CRIU_NO_PERMISSION', message, { operation });
  }
  const { readyTimeoutMs = 60_000, guestTimeoutMs = GUEST_TIMEOUT_MS } = checked;
  const { namespaces = [], mounts = [] } = checked;
  return { ...checked, readyTimeoutMs, guestTimeoutMs, namespaces, mounts };
}
