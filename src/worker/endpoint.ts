import { statSync } from 'node:fs';
import { native } from '../native/index.ts';
import { findExecutable } from '../process/executable.ts';
import { keepKernelCacheOnce } from './kernel-cache.ts';
import type { Pool } from './pool.ts';
import type { Program } from './program.ts';

/** Where requests go: a criu binary that is started for them, or the socket of a criu service. */
export interface Endpoint extends Program {
  /** The name in error messages: the path, or `the criu service at` and the path. */
  readonly name: string;
  /** True for a criu service. */
  readonly isService: boolean;
  /** Workers of the binary that are started ahead. */
  readonly pool?: Pool | undefined;
}

/** The criu that a client is configured to use. */
interface Wanted {
  readonly path: string | undefined;
  readonly socket?: string | undefined;
  readonly pool?: Pool | undefined;
  readonly kernelCache?: boolean | undefined;
}

/**
 * Finds criu: the service at `socket`, else the binary `path`, else CRIU_PATH, else `criu` on PATH.
 * @throws CriuError ERR_CRIU_UNSUPPORTED_PLATFORM, ERR_CRIU_NOT_FOUND, ERR_CRIU_NO_PERMISSION
 */
export async function locate(operation: string, wanted: Wanted): Promise<Endpoint> {
  const { path, socket, pool, kernelCache } = wanted;
  // Loaded first, so that an unsupported platform is reported as such and not as a missing criu.
  native();
  if (socket !== undefined) return serviceAt(socket);
  const name = path ?? (process.env.CRIU_PATH || 'criu');
  const advice = '; install criu, or name it by the option path or by CRIU_PATH';
  const found = await findExecutable(operation, name, { advice });
  const { dev, ino, size, mtimeMs } = found.stats;
  const identity = [found.path, dev, ino, size, mtimeMs].join();
  const binary = { path: found.path, name: found.path, identity, isService: false, pool };
  if (kernelCache) await keepKernelCacheOnce(operation, binary);
  return binary;
}

/** A service that restarts recreates its socket, which changes the identity. */
function serviceAt(path: string): Endpoint {
  const { dev, ino, ctimeMs } = statSync(path, { throwIfNoEntry: false }) ?? {};
  const identity = ['service', path, dev, ino, ctimeMs].join();
  return { path, name: `the criu service at ${path}`, identity, isService: true };
}
