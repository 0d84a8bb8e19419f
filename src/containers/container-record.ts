import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRecord } from '../options/check.ts';
import { remoteFiles } from '../process/files.ts';
import { replaceText } from '../process/replaced-file.ts';
import type { CgroupLimits } from './cgroup-limits.ts';
import { containerFailure } from './container-failure.ts';
import { type OfferedNetwork, readOfferedNetwork } from './network/offered-network.ts';
import { parseRuntimeState, type RuntimeState } from './runtime-state.ts';

/** Where runc looks for what the standard streams of the container were. */
const DESCRIPTORS = 'descriptors.json';
/** What a restore by this library needs besides. */
const RECORD = 'container.json';

/** What is known about a dumped container beside CRIU's images. */
export interface ContainerRecord {
  /** Its state at the dump, for a restore without a runtime; undefined if another program has dumped it. */
  readonly state: RuntimeState | undefined;
  /** CRIU's names of the standard streams that led out of it: see outsideStreamsOf(). */
  readonly streams: readonly (string | undefined)[];
  /** Mounts that came with bind mounts: see submountsOf(). */
  readonly submounts: readonly string[];
  /** The limits of its cgroup v2. */
  readonly limits: CgroupLimits;
  /** What was in its own network namespace, or why that cannot be made again. */
  readonly network: RecordedNetwork;
}

/** The network of a dumped container. */
export interface RecordedNetwork {
  /** Undefined if it has no devices of its own, or cannot be made again. */
  readonly network?: OfferedNetwork | undefined;
  /** Why it cannot be made again. */
  readonly obstacle?: string | undefined;
}

/** Writes what a restore needs to know about the container beside CRIU's images. */
export async function writeContainerRecord(
  directory: string,
  {
    state,
    streams,
    submounts,
    limits,
    network,
  }: ContainerRecord & { readonly state: RuntimeState },
): Promise<void> {
  const descriptors = [0, 1, 2].map((fd) => streams[fd] ?? state.descriptors[fd] ?? '/dev/null');
  await writeJson(join(directory, DESCRIPTORS), descriptors);
  // A container that was restored without its state has none to keep.
  const isKnown = Object.keys(state.json).length > 0;
  await writeJson(join(directory, RECORD), {
    version: 1,
    streams: streams.map((name) => name ?? null),
    submounts,
    limits,
    ...network,
    ...(isKnown && { runtimeState: state.json }),
  });
}

/**
 * Reads that, or what runc has written of it.
 * @throws CriuError ERR_CRIU_CONTAINER if a file is damaged
 */
export async function readContainerRecord(
  operation: string,
  id: string,
  directory: string,
): Promise<ContainerRecord> {
  try {
    return await readRecord(directory);
  } catch (cause) {
    throw containerFailure(operation, id, (cause as Error).message, { cause });
  }
}

async function readRecord(directory: string): Promise<ContainerRecord> {
  const record = await readJson(join(directory, RECORD));
  if (record === undefined) {
    const streams = await readPipes(directory);
    return { state: undefined, streams, submounts: [], limits: {}, network: {} };
  }
  const { runtimeState, streams, submounts, limits, network, obstacle } = isRecord(record)
    ? record
    : {};
  if (!Array.isArray(streams) || !Array.isArray(submounts) || !isRecord(limits)) {
    throw new Error(`${RECORD} does not describe a container`);
  }
  return {
    state: runtimeState === undefined ? undefined : parseRuntimeState(runtimeState),
    streams: streams.map((name: unknown) => (typeof name === 'string' ? name : undefined)),
    submounts: submounts.map(String),
    limits: Object.fromEntries(
      Object.entries(limits).map(([name, value]) => [name, String(value)]),
    ),
    network: {
      ...(network !== undefined && { network: readOfferedNetwork(network) }),
      ...(obstacle !== undefined && { obstacle: String(obstacle) }),
    },
  };
}

/** The standard streams that were pipes, according to runc. */
async function readPipes(directory: string): Promise<(string | undefined)[]> {
  const names = (await readJson(join(directory, DESCRIPTORS))) ?? [];
  if (!Array.isArray(names)) throw new Error(`${DESCRIPTORS} is not a list`);
  return names.map((name) => (String(name).startsWith('pipe:') ? String(name) : undefined));
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return text === undefined ? undefined : JSON.parse(text);
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await replaceText(path, JSON.stringify(value), remoteFiles, true);
}
