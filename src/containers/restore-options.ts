import { resolve } from 'node:path';
import { invalid } from '../errors.ts';
import type { RestoreOptions } from '../index.ts';
import { check, checkOptions, either, required, type Shape } from '../options/check.ts';
import { text } from '../options/kinds.ts';
import { operationOptions } from '../options/operation-options.ts';
import { type ContainerLinks, containerLinks } from './network/placed-network.ts';
import { type ContainerStream, streams } from './standard-streams.ts';

/**
 * Options of {@link restoreContainer}. The options of a restore are those of `criu.restore()`; by a runtime, only
 * those that `runc restore` has a flag for, and `hooks`, `signal` and `deadlineMs`.
 */
export interface RestoreContainerOptions extends RestoreOptions {
  /** The directory of the images. */
  imagesDirectory: string;
  /** The id of the restored container. */
  id: string;
  /** The directory with the config.json of the container. */
  bundle: string;
  /** The state directory of the runtime: runc's `--root`. Default `/run/runc`. */
  root?: string;
  /**
   * The runtime, by path or by name, that restores the container, with its hooks, and knows it from then on; false
   * for none: node-criu restores it by itself, and writes the state that runc reads if the container was dumped by
   * {@link Container.dump}. Default `runc`.
   */
  runtime?: string | false;
  /**
   * The standard streams, if they were pipes: all, or stdin, stdout and stderr. `inherit` are those of this process.
   * Default `ignore`: /dev/null.
   */
  stdio?: 'ignore' | 'inherit' | readonly ContainerStream[];
  /**
   * The path of a unix socket that gets the master of the container's terminal from the runtime: runc's
   * `--console-socket`. Without a runtime, `hooks.orphanPtsMaster` gets it.
   */
  consoleSocket?: string;
  /**
   * What the network devices of the container are connected to, by their names in the container:
   * `{ eth0: { bridge: 'br0' } }` or `{ eth0: { parent: 'enp3s0' } }`. The devices, addresses and routes that its own network
   * namespace had at the dump are made again, and connected when it is about to run. Needs `ip` of iproute2, and a dump of
   * {@link Container.dump}. Default: none is made, and only its loopback device is up.
   */
  network?: ContainerLinks;
}

/** The options that only a container has. */
export type OwnOptions = Pick<
  RestoreContainerOptions,
  'id' | 'bundle' | 'root' | 'runtime' | 'stdio' | 'consoleSocket' | 'imagesDirectory' | 'network'
>;

/** True for what runc takes as an id: it names a directory. */
export function isContainerId(value: unknown): value is string {
  return typeof value === 'string' && /^[\w][\w+.-]*$/.test(value) && value.length <= 1024;
}

/** The id of a container. */
export const containerId = check(
  'the id of a container: letters, digits, and . _ + - after the first',
  isContainerId,
);

const shape: Shape<OwnOptions> = {
  imagesDirectory: required(text),
  id: required(containerId),
  bundle: required(text),
  root: text,
  runtime: either(
    text,
    check('false', (value) => value === false),
  ),
  stdio: streams,
  consoleSocket: text,
  network: containerLinks,
};

/** The flags of `runc restore` for options of a restore. */
const FLAGS: Readonly<Record<string, string>> = {
  tcpEstablished: '--tcp-established',
  externalUnixConnections: '--ext-unix-sk',
  shellJob: '--shell-job',
  fileLocks: '--file-locks',
  autoDedup: '--auto-dedup',
  lazyPages: '--lazy-pages',
};
const VALUES: Readonly<Record<string, string>> = {
  manageCgroupsMode: '--manage-cgroups-mode',
  lsmProfile: '--lsm-profile',
  lsmMountContext: '--lsm-mount-context',
};

/** The options, as their parts. */
export interface CheckedOptions {
  readonly own: OwnOptions;
  /** Those of the restore, with `hooks` and what cancels it. */
  readonly restore: RestoreOptions;
}

/** @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export function checkRestoreOptions(
  operation: string,
  given: RestoreContainerOptions,
): CheckedOptions {
  const { imagesDirectory, id, bundle, root, runtime, stdio, consoleSocket, network, ...restore } =
    given;
  const own = checkOptions(
    operation,
    { imagesDirectory, id, bundle, root, runtime, stdio, consoleSocket, network } as OwnOptions,
    shape,
  );
  const { hooks, signal, deadlineMs, gracePeriodMs } = restore;
  checkOptions(operation, { hooks, signal, deadlineMs, gracePeriodMs }, operationOptions);
  if (own.runtime === false && consoleSocket !== undefined) {
    const takes = 'nothing without a runtime: hooks.orphanPtsMaster gets the terminal';
    throw invalid(operation, 'consoleSocket', takes, consoleSocket);
  }
  return { own: { ...own, ...absolute(own) }, restore: { ...restore, ...absolute(restore) } };
}

/** The paths among the options from the root: runc changes into the bundle before it opens the others. */
function absolute<T extends object>(options: T): Partial<T> {
  const paths = ['imagesDirectory', 'bundle', 'consoleSocket', 'workDirectory'];
  const given = Object.entries(options).filter(
    ([name, value]) => paths.includes(name) && typeof value === 'string',
  );
  return Object.fromEntries(given.map(([name, value]) => [name, resolve(value)])) as Partial<T>;
}

/**
 * The flags of `runc restore` for the options of a restore.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT for an option that it has no flag for
 */
export function runtimeFlags(operation: string, options: Readonly<RestoreOptions>): string[] {
  return Object.entries(options).flatMap(([name, value]): string[] => {
    if (value === undefined || value === false || NOT_FLAGS.has(name)) return [];
    const flag = FLAGS[name];
    if (flag !== undefined && value === true) return [flag];
    const option = VALUES[name];
    if (option !== undefined && typeof value === 'string') return [option, value];
    const takes = 'nothing with a runtime, whose restore has no such flag; set runtime: false';
    throw invalid(operation, name, takes, value);
  });
}

/** The options that are not for `runc restore`, or are given to it in another way. */
const NOT_FLAGS: ReadonlySet<string> = new Set([
  ...['workDirectory', 'hooks', 'signal', 'deadlineMs', 'gracePeriodMs', 'manifest'],
  // runc sets them by itself, from the configuration of the container.
  ...[
    'root',
    'extMnt',
    'external',
    'emptyNs',
    'orphanPtsMaster',
    'manageCgroups',
    'evasiveDevices',
  ],
]);
