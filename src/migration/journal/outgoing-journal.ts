import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beginningOf } from '../../failure/log.ts';
import type { DumpOptions } from '../../operations/dump.ts';
import { readConfigFiles, withConfigFiles } from '../../options/config-file.ts';
import type { CriuOpts } from '../../options/types.ts';
import type { SourceState } from '../protocol/states.ts';
import type { Journal } from './journal.ts';

/** Options of the dump that tell what has to be undone if its criu dies, and where its log is. */
export type Undone = Pick<
  CriuOpts,
  'freezeCgroup' | 'linkRemap' | 'logFile' | 'networkLock' | 'tcpClose' | 'tcpEstablished'
>;

/** What has to be undone of a dump with these options, also by its configuration files. */
export async function undoneOf(options: Partial<DumpOptions>): Promise<Undone> {
  const { configFile } = options;
  // Options are checked later, and a number would be read as a descriptor.
  const path = typeof configFile === 'string' ? configFile : undefined;
  const effective = withConfigFiles(options, await readConfigFiles('migrate', path));
  const { tcpEstablished, tcpClose, linkRemap, freezeCgroup, networkLock, logFile } = effective;
  const undone = { tcpEstablished, tcpClose, linkRemap, freezeCgroup, networkLock, logFile };
  return Object.fromEntries(Object.entries(undone).filter(([, value]) => value !== undefined));
}

/** What a source notes besides its state. */
export interface OutgoingFacts {
  /** The root of the original. */
  readonly pid: number;
  /** When that was started, by the kernel's clock: another process may get its pid. */
  readonly startTime: string;
  /** All processes of the original, once they are stopped, each as `PID TICKS`. */
  readonly tree: readonly string[];
  /** Those of them that others had stopped before. */
  readonly stoppedBefore: readonly number[];
  /** The destination. */
  readonly to: { readonly host: string; readonly port: number };
  readonly mode: string;
  /** The process that does the migration, as long as it does: `PID START_TIME`. */
  readonly agent: string;
  readonly undone: Undone;
}

/** The journal of a source. */
export type OutgoingJournal = Journal<SourceState, OutgoingFacts>;

/** Where sources keep their journals and images, if they are not told. */
export const STATE_DIRECTORY = '/var/lib/node-criu';

/** Where the images of a migration from this host are, each round in a directory of its own. */
export function outgoingImages(directory: string, id: string): string {
  return join(directory, 'images', id);
}

/** Where a source keeps its journals. */
export function outgoingIn(directory: string): string {
  return join(directory, 'outgoing');
}

/** How the logs of the dumps of a migration begin; nothing if there was none. */
export async function logsOf(images: string, name = 'dump.log'): Promise<string> {
  const rounds = await readdir(images).catch((): string[] => []);
  const logs = await Promise.all(rounds.map((round) => beginningOf(join(images, round, name))));
  return logs.join('');
}
