import { CriuError, invalid } from '../../errors.ts';
import type { CheckpointDescription } from '../description/checkpoint-description.ts';
import { describeCheckpoint } from '../description/describe-checkpoint.ts';
import type { DescribedFile } from '../description/described-file.ts';
import { changesOf, without } from './changes.ts';
import type {
  CheckpointDifference,
  DiffCheckpointsOptions,
  ProcessFile,
  ProcessMapping,
  ProcessProperties,
} from './checkpoint-difference.ts';
import { diffMemory } from './memory-difference.ts';

const operation = 'diffCheckpoints';
/** Numbers that differ in each dump or after each restore, and the line that has them. */
const NUMBERS_OF_FILES = new Set(['id', 'users', 'inode', 'peer', 'peerUsers', 'shared', 'text']);
/** What the properties of a mapping say twice, and how much of its content the images have. */
const CONTENT_OF_MAPPINGS = new Set([
  ...['start', 'end', 'file', 'shared', 'bytesStored', 'bytesInParents', 'bytesLazy'],
]);
/** What the mappings say as well. */
const SUMS_OF_PROCESSES = new Set(['bytesMapped']);
const SOCKETS: ReadonlySet<DescribedFile['type']> = new Set(['inet', 'unix', 'netlink', 'packet']);

/**
 * Compares two checkpoints: processes, files, sockets and mappings, and the memory page by page, with that of
 * earlier rounds, in bounded memory. They may be pre-dumps, of which the memory is compared.
 * @param before the images directory of the earlier checkpoint
 * @param after the images directory of the later checkpoint
 * @throws CriuError ERR_CRIU_BAD_IMAGE, ERR_CRIU_INVALID_ARGUMENT; ERR_CRIU_ABORTED if the signal aborts it
 */
export async function diffCheckpoints(
  before: string,
  after: string,
  options: DiffCheckpointsOptions = {},
): Promise<CheckpointDifference> {
  const { secrets, memory = true, signal } = options;
  if (typeof before !== 'string') throw invalid(operation, 'before', 'a path', before);
  if (typeof after !== 'string') throw invalid(operation, 'after', 'a path', after);
  if (typeof memory !== 'boolean') throw invalid(operation, 'memory', 'a boolean', memory);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalid(operation, 'signal', 'an AbortSignal', signal);
  }
  const throwIfAborted = () => {
    if (!signal?.aborted) return;
    const details = { operation, cause: signal.reason };
    throw new CriuError('ERR_CRIU_ABORTED', `${operation} was aborted`, details);
  };
  throwIfAborted();
  const [old, now] = await Promise.all([
    describeCheckpoint(before, { secrets }),
    describeCheckpoint(after, { secrets }),
  ]);
  if (old.pageSize !== now.pageSize) {
    const message = `${operation}: the pages of ${before} have ${old.pageSize} bytes, those of ${after} ${now.pageSize}`;
    throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation, option: 'after' });
  }
  const changed = (isWanted: (file: DescribedFile) => boolean) =>
    changesOf(
      filesOf(old, isWanted),
      filesOf(now, isWanted),
      ({ pid, fd }) => `${pid} ${fd}`,
      ({ file }) => without(file, NUMBERS_OF_FILES),
    );
  return {
    before: old.directory,
    after: now.directory,
    processes: changesOf(
      old.processes.map(propertiesOf),
      now.processes.map(propertiesOf),
      ({ pid }) => pid,
      (process) => without(process, SUMS_OF_PROCESSES),
    ),
    files: changed(({ type }) => !SOCKETS.has(type)),
    sockets: changed(({ type }) => SOCKETS.has(type)),
    mappings: changesOf(
      mappingsOf(old),
      mappingsOf(now),
      ({ pid, mapping }) => `${pid} ${mapping.start}`,
      ({ mapping }) => without(mapping, CONTENT_OF_MAPPINGS),
    ),
    memory: memory ? await diffMemory(operation, old, now, throwIfAborted) : undefined,
  };
}

function propertiesOf({
  descriptors: _,
  mappings: __,
  ...properties
}: CheckpointDescription['processes'][number]): ProcessProperties {
  return properties;
}

function filesOf(
  { processes, files }: CheckpointDescription,
  isWanted: (file: DescribedFile) => boolean,
): ProcessFile[] {
  const byId = new Map(files.map((file) => [file.id, file]));
  return processes.flatMap(({ pid, descriptors }) =>
    descriptors.flatMap(({ fd, file: id }) => {
      const file = byId.get(id);
      return file && isWanted(file) ? { pid, fd, file } : [];
    }),
  );
}

function mappingsOf({ processes }: CheckpointDescription): ProcessMapping[] {
  return processes.flatMap(({ pid, mappings }) => mappings.map((mapping) => ({ pid, mapping })));
}
