import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRecord } from '../options/check.ts';
import { startTimeOf } from '../procfs/stat.ts';
import { containerFailure } from './container-failure.ts';

/** A mount that a container's configuration asks for. */
export interface RuntimeMount {
  readonly source: string;
  readonly destination: string;
  /** `bind`, or the type of the file system. */
  readonly device: string;
}

/** A namespace that a container's configuration asks for. */
export interface RuntimeNamespace {
  /** Such as `NEWNET`. */
  readonly type: string;
  /** The namespace to join; empty for one of its own. */
  readonly path: string;
}

/** What runc keeps about a container in its state.json: the parts of it that are used here. */
export interface RuntimeState {
  readonly id: string;
  /** The first process, and when it was started, in clock ticks since the boot. */
  readonly pid: number;
  readonly startTime: string;
  readonly rootfs: string;
  /** `NAME=VALUE`: the annotations, and `bundle`. */
  readonly labels: ReadonlyMap<string, string>;
  readonly mounts: readonly RuntimeMount[];
  /** Paths of device nodes. */
  readonly devices: readonly string[];
  readonly maskedPaths: readonly string[];
  readonly namespaces: readonly RuntimeNamespace[];
  /** Directories of its cgroups by controller; that of cgroup v2 has the name ''. */
  readonly cgroups: ReadonlyMap<string, string>;
  /** What the standard streams were, such as `pipe:[123]`. */
  readonly descriptors: readonly string[];
  /** The whole file. */
  readonly json: Readonly<Record<string, unknown>>;
}

const FILE = 'state.json';

/** Where runc keeps the state of a container. */
export function stateFileOf(root: string, id: string): string {
  return join(root, id, FILE);
}

/**
 * Reads the state of a container; undefined if the runtime has none with this id.
 * @param root the state directory of the runtime
 */
export async function readRuntimeState(
  operation: string,
  root: string,
  id: string,
): Promise<RuntimeState | undefined> {
  const path = stateFileOf(root, id);
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return undefined;
    throw containerFailure(operation, id, `cannot read ${path}: ${cause.message}`, { cause });
  });
  if (text === undefined) return undefined;
  try {
    return parseRuntimeState(JSON.parse(text));
  } catch (cause) {
    const reason = `${path} is not the state of a container of runc: ${(cause as Error).message}`;
    throw containerFailure(operation, id, reason, { cause });
  }
}

/** @throws Error that names the field that is missing or wrong */
export function parseRuntimeState(json: unknown): RuntimeState {
  const state = record(json, 'the file');
  const config = record(state.config, 'config');
  const pid = state.init_process_pid;
  if (!Number.isSafeInteger(pid)) throw new Error('init_process_pid is not a number');
  return {
    id: text(state.id, 'id'),
    pid: pid as number,
    startTime: String(state.init_process_start),
    rootfs: text(config.rootfs, 'config.rootfs'),
    labels: new Map(list(config.labels, 'config.labels').map((label) => pair(String(label)))),
    mounts: list(config.mounts, 'config.mounts').map((one) => {
      const { source, destination, device } = record(one, 'config.mounts');
      return {
        source: String(source ?? ''),
        destination: text(destination, 'config.mounts.destination'),
        device: String(device ?? ''),
      };
    }),
    devices: list(config.devices, 'config.devices').map((one) =>
      text(record(one, 'config.devices').path, 'config.devices.path'),
    ),
    maskedPaths: list(config.mask_paths, 'config.mask_paths').map(String),
    namespaces: list(config.namespaces, 'config.namespaces').map((one) => {
      const { type, path } = record(one, 'config.namespaces');
      return { type: text(type, 'config.namespaces.type'), path: String(path ?? '') };
    }),
    cgroups: new Map(
      Object.entries(record(state.cgroup_paths ?? {}, 'cgroup_paths')).map(([name, path]) => [
        name,
        String(path),
      ]),
    ),
    descriptors: list(state.external_descriptors, 'external_descriptors').map(String),
    json: state,
  };
}

/** True if the process is the one that the state names, and not another one with its pid. */
export function isRunning({ pid, startTime }: RuntimeState): boolean {
  return pid > 0 && startTimeOf(pid) === startTime;
}

function pair(label: string): readonly [string, string] {
  const at = label.indexOf('=');
  return at < 0 ? [label, ''] : [label.slice(0, at), label.slice(at + 1)];
}

function record(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) throw new Error(`${name} is not an object`);
  return value;
}

/** Go writes an empty list as null. */
function list(value: unknown, name: string): readonly unknown[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) throw new Error(`${name} is not a list`);
  return value;
}

function text(value: unknown, name: string): string {
  if (typeof value !== 'string' || value === '') throw new Error(`${name} is not a text`);
  return value;
}
