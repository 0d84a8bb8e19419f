import { CombinedSignal } from '../concurrency/combined-signal.ts';
import { CriuError } from '../errors.ts';
import type { Client } from '../operations/client.ts';
import { featuresOnce } from '../operations/probe.ts';
import { type RestoreOptions, restore } from '../operations/restore.ts';
import type { RestoredProcess } from '../operations/restored-process.ts';
import { lazyRestore } from '../postcopy/lazy-restore.ts';
import type { DumpablePart } from './copy-dump.ts';
import type { NetworkOfCopy } from './copy-network.ts';
import type { CopyEnvironment } from './copy-options.ts';
import type { CopyStreams } from './copy-streams.ts';
import { externalAtRestore, restoreEnclosure } from './enclosures.ts';
import type { FirstPages } from './first-pages.ts';
import { GuestChannel } from './guest-channel.ts';
import { LifeLine } from './life-line.ts';
import { assertOwnPorts, type ListeningPort } from './listening-ports.ts';
import { makeScratch } from './scratch.ts';
import { SocketPair } from './socket-pair.ts';
import { externalStreams } from './stream-names.ts';
import type { TemplateDescription } from './template-file.ts';

/** What copies are made of. */
export interface TemplateParts {
  readonly client: Client;
  readonly directory: string;
  readonly description: TemplateDescription;
  /** The ports that the program listens on. */
  readonly ports: readonly ListeningPort[];
  /** The memory that copies can get later, and what they need first; undefined if it is compressed. */
  readonly memory: FirstPages | undefined;
  /** A descriptor of the directory, if it is open only in this process. */
  readonly directoryFd?: number | undefined;
}

/** How a copy is restored. */
export interface CopyRequest {
  readonly template: TemplateParts;
  readonly environment: CopyEnvironment;
  /** Leave its processes stopped until it is run. */
  readonly isHeld: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** What CRIU has restored. */
export interface Restored {
  readonly root: RestoredProcess;
  readonly life: LifeLine;
  /** The connection that its program has for the guest library, also if it does not use that. */
  readonly guest: SocketPair;
  readonly part: DumpablePart;
}

/**
 * Restores the images of a template, with a criu that has mounts of its own.
 * @throws CriuError as {@link Criu.restore} does, ERR_CRIU_ADDRESS_IN_USE
 */
export async function restoreIn(
  operation: string,
  { template, environment, isHeld, signal }: CopyRequest,
  network: NetworkOfCopy,
  streams: CopyStreams,
): Promise<Restored> {
  const { client, directory, description, ports } = template;
  const { files, mounts } = description;
  const guest = new SocketPair(network.netns);
  const life = new SocketPair(network.netns);
  await using scratch = await makeScratch(operation);
  const enclosure = restoreEnclosure(scratch, environment.mergeMemory ?? false);
  const { inheritFd, ...joined } = network.options;
  try {
    const ownFiles = { streams: await streams.names(), guest: guest.name, life: life.name };
    const external = [...externalStreams(ownFiles.streams), guest.external, life.external];
    const { root, memory } = await load(
      { ...template, client: { ...client, defaults: {}, enclosure } },
      environment.lazyPages,
      {
        imagesDirectory: directory,
        workDirectory: scratch.path,
        root: scratch.root,
        external: externalAtRestore(mounts, scratch),
        inheritFd: {
          ...streams.inherited(files.streams),
          ...inheritFd,
          [files.guest]: guest.there,
          [files.life]: life.there,
        },
        ...joined,
        asChild: true,
        leaveStopped: isHeld,
        manageCgroupsMode: 'ignore',
        tcpClose: true,
        ...(signal && { signal }),
        ...(!network.isNew && {
          hooks: { postRestore: (pid) => assertOwnPorts(operation, pid, ports) },
        }),
      },
    );
    const channel = description.guest && new GuestChannel(guest.take());
    guest.closeThere();
    return {
      root,
      guest,
      life: new LifeLine(life, root.pid),
      part: {
        client,
        description: { ...description, namespaces: network.namespaces, files: ownFiles },
        external,
        guest: channel,
        memory,
      },
    };
  } catch (error) {
    for (const pair of [guest, life]) pair[Symbol.dispose]();
    throw unhooked(error);
  }
}

/** Restores the processes, and resolves when they run, with the promise that all of their memory is loaded. */
async function load(
  { client, memory, directoryFd }: TemplateParts,
  isLazy: boolean | undefined,
  options: RestoreOptions & { readonly imagesDirectory: string; readonly workDirectory: string },
): Promise<{ readonly root: RestoredProcess; readonly memory?: Promise<unknown> }> {
  const lazily = isLazy ?? (await featuresOnce('restore', client)).lazyPages;
  if (!lazily) return { root: await restore(client, options) };
  // Once the copy runs, the signal of its start must not end it any more.
  using start = new CombinedSignal([options.signal]);
  const lazy = { ...options, signal: start.signal };
  const context = memory && {
    ...{ memory: memory.marked, directoryFd },
    onWaited: (pages: BigUint64Array) => memory.add(pages),
  };
  const { restored, pagesDone } = await lazyRestore(client, lazy, context);
  // A copy that cannot get all of its memory is killed.
  return { root: restored, memory: pagesDone.catch(() => {}) };
}

/** The refusal of the copy itself, which reached CRIU through a hook. */
function unhooked(error: unknown): unknown {
  const { code, cause } = error as CriuError;
  return code === 'ERR_CRIU_HOOK' && cause instanceof CriuError ? cause : error;
}
