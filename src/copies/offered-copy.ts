import type { MigrationOffer } from '../migration/destination/serve-options.ts';
import { isRecord } from '../options/check.ts';
import type { HostMount } from './host-mounts.ts';

/** What a destination is told of a copy. */
export interface OfferedCopy {
  /** The mounts of the host that it sees as well. */
  readonly mounts: readonly HostMount[];
  /** CRIU's names of its connections to the process that has started it. */
  readonly sockets: readonly string[];
  /** CRIU's names of its standard streams. */
  readonly streams: readonly string[];
}

/** The metadata of the offer of a copy, with those of the caller. */
export function toMetadata(copy: OfferedCopy, metadata: unknown): unknown {
  return { copy: { version: 1, ...copy }, metadata };
}

/** The copy that is offered; undefined if something else is. @throws Error if it is damaged */
export function readCopyOffer({ metadata: all }: MigrationOffer): OfferedCopy | undefined {
  if (!isRecord(all) || !isRecord(all.copy)) return undefined;
  const { version, mounts, sockets, streams } = all.copy;
  if (version !== 1) throw new Error('the offer is from a newer node-criu');
  if (!Array.isArray(mounts) || !mounts.every(isMount)) throw wrong('mounts');
  if (!isNames(sockets, /^socket:\[\d+\]$/)) throw wrong('sockets');
  if (!isNames(streams, /^file\[[0-9a-f]+:[0-9a-f]+\]$/)) throw wrong('streams');
  return { mounts, sockets, streams };
}

function isMount(value: unknown): value is HostMount {
  if (!isRecord(value)) return false;
  const { path, name } = value;
  return typeof path === 'string' && path.startsWith('/') && isName(name);
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && /^[a-z0-9-]{1,64}$/.test(value);
}

function isNames(value: unknown, pattern: RegExp): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string' && pattern.test(one));
}

function wrong(field: string): Error {
  return new Error(`the ${field} of the copy in the offer are wrong`);
}
