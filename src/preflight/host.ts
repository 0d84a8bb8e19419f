import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Cancellation } from '../concurrency/cancellation.ts';
import { CriuError } from '../errors.ts';
import { native } from '../native/index.ts';
import { descriptorOf } from '../options/kinds.ts';
import { OLDEST_CRIU } from '../options/table.ts';
import type { Translation } from '../options/translate.ts';
import type { OperationOptions } from '../options/types.ts';
import { CAP_CHECKPOINT_RESTORE, CAP_SYS_ADMIN, hasCapability } from '../procfs/capability.ts';
import { readDescriptorLink } from '../procfs/descriptors.ts';
import { readStatus } from '../procfs/status.ts';
import { type Endpoint, locate } from '../worker/endpoint.ts';
import type { Plan, PreflightOptions } from './options.ts';
import { readSmallPipes, type SmallPipes } from './pipes.ts';
import type { RestorePlan } from './restore/options.ts';

/** Whether criu and the kernel support the operation. */
export interface HostFacts {
  /** Errors of criu, its version or the kernel, with which the operation would fail. */
  readonly refusals: readonly CriuError[];
  /** criu is one of a service, and no child of this process. */
  readonly isService: boolean;
  /** The capabilities that criu would have, as a mask. */
  readonly capabilities: bigint;
  /** True if criu would run as root. */
  readonly root: boolean;
  /** Undefined if CRIU can serve pages, or need not. */
  readonly smallPipes: SmallPipes | undefined;
  /** Why CRIU cannot dump sockets on this kernel; undefined if it can, or if that is unknown. */
  readonly socketRefusal: string | undefined;
  /** The directory of the images and its free space in bytes; undefined if unknown. */
  readonly images: { readonly path: string; readonly free: number } | undefined;
}

const EVERY_CAPABILITY = (1n << 64n) - 1n;

/** What an operation needs of criu and the kernel. */
export interface Needs {
  /** The first CRIU that knows the operation, as `version().number`. */
  readonly since: number;
  /** The option that needs the newest CRIU. */
  readonly newest: Translation['newest'];
  /** It needs a kernel that tracks changed memory (soft-dirty). */
  readonly memTrack: boolean;
  /** It needs a kernel with userfaultfd. */
  readonly lazyPages: boolean;
}

/** How a preflight asks criu about itself and the kernel; 'known' if criu has just run. */
export type Host =
  | {
      /** Rejects if criu or the kernel lacks something. */
      requireSupport(endpoint: Endpoint, needs: Needs, cancellation: Cancellation): Promise<void>;
      /** Makes a CHECK request. */
      check(limits: OperationOptions): Promise<void>;
      /** Why this CRIU cannot dump sockets on this kernel; undefined if it can. */
      socketRefusal(endpoint: Endpoint): string | undefined;
    }
  | 'known';

/** How long criu may take for a CHECK, in milliseconds; it usually takes less than 100. */
const CHECK_TIMEOUT_MS = 30_000;

/** Asks criu and the host about an operation. criu has ended when this resolves. */
export async function readHost(
  client: { readonly path: string | undefined; readonly socket?: string | undefined },
  { operation, options, translation: { wire, newest } }: Plan | RestorePlan,
  host: Host,
  cancellation: Cancellation,
): Promise<HostFacts> {
  const refusals: CriuError[] = [];
  const collect = async (work: Promise<unknown>) => {
    try {
      await work;
      return true;
    } catch (error) {
      // A failed system call of this process is not about criu.
      if (!(error instanceof CriuError) || error.code === 'ERR_CRIU_SYSTEM') throw error;
      refusals.push(error);
      return false;
    }
  };
  const images = await spaceFor(options.imagesDirectory ?? options.workDirectory);
  const isService = client.socket !== undefined;
  const hasParent = 'parentImage' in options && options.parentImage !== undefined;
  let comparesFrozen = false;
  let endpoint: Endpoint | undefined;
  await collect(
    locate('preflight', client).then((found) => {
      endpoint = found;
    }),
  );
  // A criu service has privileges of its own.
  const root = client.socket !== undefined || process.geteuid?.() === 0;
  const capabilities =
    client.socket !== undefined ? EVERY_CAPABILITY : await capabilitiesOf(endpoint?.path, root);
  if (host !== 'known' && endpoint && canRun({ capabilities, root }, options)) {
    const since = operation === 'preDump' ? 31700 : OLDEST_CRIU;
    const memTrack = operation === 'preDump' || wire.track_mem === true;
    const needs = { since, newest, memTrack, lazyPages: wire.lazy_pages === true };
    const support = host.requireSupport(endpoint, needs, cancellation).catch(async (error) => {
      if (isService || error.code !== 'ERR_CRIU_NO_MEM_TRACK') throw error;
      // It works nevertheless. It tracks nothing, and compares memory with its parent images.
      comparesFrozen = operation === 'dump' && hasParent;
      const others = { since: OLDEST_CRIU, newest, memTrack: false };
      const lazyPages = needs.lazyPages || comparesFrozen;
      await host.requireSupport(endpoint as Endpoint, { ...others, lazyPages }, cancellation);
    });
    if (await collect(support)) {
      await collect(checkOnce(endpoint, host, cancellation));
    }
  }
  const servesPages = operation === 'dump' && wire.lazy_pages === true && !isService;
  const smallPipes = servesPages || comparesFrozen ? await readSmallPipes() : undefined;
  const socketRefusal = host !== 'known' && endpoint ? host.socketRefusal(endpoint) : undefined;
  return { refusals, isService, capabilities, root, smallPipes, socketRefusal, images };
}

/** True if criu has the privileges to start. */
export function canRun(
  { capabilities, root }: Pick<HostFacts, 'capabilities' | 'root'>,
  { unprivileged, configFile }: PreflightOptions,
): boolean {
  const capable =
    hasCapability(capabilities, CAP_SYS_ADMIN) ||
    hasCapability(capabilities, CAP_CHECKPOINT_RESTORE);
  return capable && (root || unprivileged === true || configFile !== undefined);
}

/** Binaries that passed a CHECK. The answer is valid for this file on this kernel. */
const checked = new Set<string>();

async function checkOnce(
  { identity }: Endpoint,
  host: Exclude<Host, 'known'>,
  cancellation: Cancellation,
): Promise<void> {
  if (checked.has(identity)) return;
  using limited = cancellation.within(CHECK_TIMEOUT_MS);
  const { signal, graceMs: gracePeriodMs } = limited;
  await host.check({ signal, gracePeriodMs });
  checked.add(identity);
}

/** The capabilities that criu has when this process executes it. Source: capabilities(7). */
async function capabilitiesOf(path: string | undefined, root: boolean): Promise<bigint> {
  const status = await readStatus('self');
  if (!status) return 0n;
  const { inheritable, bounding, ambient } = status.capabilities;
  if (root) return inheritable | bounding;
  return path === undefined ? ambient : (fileCapabilities(path) & bounding) | ambient;
}

/** The permitted capabilities of a program: struct vfs_cap_data. */
function fileCapabilities(path: string): bigint {
  try {
    const data = Buffer.from(native().getAttribute(path, 'security.capability'));
    return BigInt(data.readUInt32LE(4)) | (BigInt(data.readUInt32LE(12)) << 32n);
  } catch {
    return 0n;
  }
}

/** The free space where a directory is or will be made. */
async function spaceFor(given: PreflightOptions['imagesDirectory']): Promise<HostFacts['images']> {
  if (given === undefined) return undefined;
  const path =
    typeof given === 'string'
      ? resolve(given)
      : await readDescriptorLink('self', descriptorOf(given) as number).catch(() => undefined);
  for (let at = path; at !== undefined; at = at === '/' ? undefined : dirname(at)) {
    const found = await statfs(at).catch(() => undefined);
    if (!found) continue;
    const blocks = process.geteuid?.() === 0 ? found.bfree : found.bavail;
    return { path: path as string, free: blocks * found.bsize };
  }
  return undefined;
}
