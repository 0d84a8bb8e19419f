import { readFile, realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isRecord } from '../options/check.ts';
import { containerFailure } from './container-failure.ts';
import type { RuntimeMount, RuntimeNamespace } from './runtime-state.ts';

/** What the config.json of a bundle says: the parts of it that a restore needs. */
export interface BundleConfig {
  /** The directory of the bundle, without symbolic links. */
  readonly bundle: string;
  readonly rootfs: string;
  readonly mounts: readonly RuntimeMount[];
  readonly namespaces: readonly RuntimeNamespace[];
  /** Paths of device nodes that the bundle adds. */
  readonly devices: readonly string[];
  readonly maskedPaths: readonly string[];
  readonly annotations: ReadonlyMap<string, string>;
  /** The hooks that the runtime calls when it removes the container, as its state has them. */
  readonly poststopHooks: readonly object[];
  /** The path of its cgroups in each hierarchy; undefined if the bundle leaves it to the runtime. */
  readonly cgroupsPath: string | undefined;
}

const NANOSECONDS = 1e9;
/** The names that runc has for namespaces in its state. */
const STATE_NAMES: Readonly<Record<string, string>> = {
  ...{ cgroup: 'NEWCGROUP', ipc: 'NEWIPC', mount: 'NEWNS', network: 'NEWNET', pid: 'NEWPID' },
  ...{ time: 'NEWTIME', user: 'NEWUSER', uts: 'NEWUTS' },
};

/**
 * Reads the configuration of a bundle. Source: config.json of the OCI runtime specification.
 * @throws CriuError ERR_CRIU_CONTAINER
 */
export async function readBundleConfig(
  operation: string,
  id: string,
  directory: string,
): Promise<BundleConfig> {
  return await readingConfig(operation, id, directory, async (config) => {
    return await parse(await realpath(directory), config);
  });
}

/** Reads all of it, as it is. @throws CriuError ERR_CRIU_CONTAINER */
export async function readBundleSpec(
  operation: string,
  id: string,
  directory: string,
): Promise<Readonly<Record<string, unknown>>> {
  return await readingConfig(operation, id, directory, object);
}

async function readingConfig<T>(
  operation: string,
  id: string,
  directory: string,
  read: (config: unknown) => Promise<T> | T,
): Promise<T> {
  const path = join(directory, 'config.json');
  try {
    return await read(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    const reason = `cannot read ${path}: ${(cause as Error).message}`;
    throw containerFailure(operation, id, reason, { cause });
  }
}

async function parse(bundle: string, value: unknown): Promise<BundleConfig> {
  const config = object(value);
  const { path } = object(config.root);
  if (typeof path !== 'string') throw new Error('it has no root.path');
  const linux = object(config.linux ?? {});
  return {
    bundle,
    rootfs: await realpath(resolve(bundle, path)),
    mounts: list(config.mounts).map((mount) => parseMount(bundle, mount)),
    namespaces: list(linux.namespaces).map(({ type, path }) => ({
      type: STATE_NAMES[String(type)] ?? String(type),
      path: String(path ?? ''),
    })),
    devices: list(linux.devices).map(({ path }) => String(path)),
    maskedPaths: Array.isArray(linux.maskedPaths) ? linux.maskedPaths.map(String) : [],
    annotations: new Map(
      Object.entries(object(config.annotations ?? {})).map(([name, text]) => [name, String(text)]),
    ),
    poststopHooks: list(object(config.hooks ?? {}).poststop).map(
      ({ path, args, env, timeout }) => ({
        ...{ path, args: args ?? null, env: env ?? null, dir: '' },
        timeout: typeof timeout === 'number' ? timeout * NANOSECONDS : null,
      }),
    ),
    // Not the form SLICE:PREFIX:NAME, which is for systemd.
    cgroupsPath: String(linux.cgroupsPath ?? '').startsWith('/')
      ? join(String(linux.cgroupsPath))
      : undefined,
  };
}

/** As runc does, a mount with the option bind or rbind is one, whatever its type. */
function parseMount(bundle: string, mount: Readonly<Record<string, unknown>>): RuntimeMount {
  const { destination, type, source, options } = mount;
  if (typeof destination !== 'string') throw new Error('it has a mount without a destination');
  const isBind =
    Array.isArray(options) && options.some((option) => option === 'bind' || option === 'rbind');
  const from = String(source ?? '');
  return {
    destination: join('/', destination),
    device: isBind ? 'bind' : String(type ?? ''),
    source: isBind ? resolve(bundle, from) : from,
  };
}

function list(value: unknown): Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.map(object) : [];
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) throw new Error('it is not the configuration of a container');
  return value;
}
