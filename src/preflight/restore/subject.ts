import type { Cancellation } from '../../concurrency/cancellation.ts';
import type { PreflightFinding } from '../../finding.ts';
import type { FileEntry } from '../../generated/images/types.ts';
import type { Checkpoint, DumpedProcess } from '../../images/checkpoint.ts';
import type { Plain } from '../../protobuf/decode.ts';
import type { PreflightRestoreOptions } from './options.ts';

/** The input of a check. */
export interface RestoreSubject {
  readonly checkpoint: Checkpoint;
  /** Includes the client's defaults and CRIU's configuration files. */
  readonly options: PreflightRestoreOptions;
  readonly cancellation: Cancellation;
}

/** Finds one kind of obstacle. */
export type RestoreCheck = (
  subject: RestoreSubject,
) => readonly PreflightFinding[] | Promise<readonly PreflightFinding[]>;

/** `process 12 (node)` */
export function nameOf({ pid, name }: Pick<DumpedProcess, 'pid' | 'name'>): string {
  return name === '' ? `process ${pid}` : `process ${pid} (${name})`;
}

/** A file of the tree, with the first process that has it, and its descriptor or its role there. */
export interface DumpedFile {
  readonly process: DumpedProcess;
  readonly file: Plain<FileEntry>;
  readonly fd: number | undefined;
  /** `descriptor 3 of process 12 (node)` or `the program of process 12 (node)` */
  readonly place: string;
}

/** The files of the tree, each once. */
export function filesOf({ processes, files }: Checkpoint): DumpedFile[] {
  const seen = new Set<number>();
  const uses = processes.flatMap((process) => [
    ...process.descriptors.map(({ fd, id }) => ({ process, id, fd, what: `descriptor ${fd}` })),
    ...process.files.map(({ role, id }) => ({ process, id, fd: undefined, what: role })),
  ]);
  return uses.flatMap(({ process, id, fd, what }) => {
    const file = files.get(id);
    if (!file || seen.has(id)) return [];
    seen.add(id);
    return { process, file, fd, place: `${what} of ${nameOf(process)}` };
  });
}
