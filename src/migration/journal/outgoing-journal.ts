import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beginningOf } from '../../failure/log.ts';
import type { Cidr } from '../../netlink/ip-address.ts';
import type { DumpOptions } from '../../operations/dump.ts';
import { readConfigFiles, withConfigFiles } from '../../options/config-file.ts';
import type { CriuOpts } from '../../options/types.ts';
import type { MigrationMode } from '../protocol/modes.ts';
import type { SourceState } from '../protocol/states.ts';
import type { Journal } from './journal.ts';

/** Options of a dump that say what to undo if its criu dies, and where its log is. */
export type UndoOptions = Pick<
  CriuOpts,
  'freezeCgroup' | 'linkRemap' | 'logFile' | 'networkLock' | 'tcpClose' | 'tcpEstablished'
>;

/** Reads the undo options of a dump, including those in its configuration files. */
export async function readUndoOptions(options: Partial<DumpOptions>): Promise<UndoOptions> {
  const { configFile } = options;
  // The options are checked later: here a number would be read as a descriptor.
  const path = typeof configFile === 'string' ? configFile : undefined;
  const effective = withConfigFiles(options, await readConfigFiles('migrate', path));
  const { tcpEstablished, tcpClose, linkRemap, freezeCgroup, networkLock, logFile } = effective;
  const undo = { tcpEstablished, tcpClose, linkRemap, freezeCgroup, networkLock, logFile };
  return Object.fromEntries(Object.entries(undo).filter(([, value]) => value !== undefined));
}

/** What a source records besides its state. */
export interface OutgoingFacts {
  /** The root of the original. */
  readonly pid: number;
  /** When and where the root was started, as startTimeOf() returns it: its pid may be reused. */
  readonly startTime: string;
  /** All processes of the original once they are stopped, each as `PID TICKS`. */
  readonly tree: readonly string[];
  /** The pids of those that were stopped before the migration. */
  readonly stoppedBefore: readonly number[];
  /** The criu that dumps the original, as `PID TICKS`. */
  readonly criu: readonly string[];
  /** The destination. */
  readonly to: { readonly host: string; readonly port: number; readonly name?: string };
  readonly mode: MigrationMode;
  /** The version of the protocol that the hosts have agreed on. */
  readonly protocol: number;
  /** The process that runs the migration, as thisAgent() names it; empty once it has finished. */
  readonly agent: string;
  /** True once both hosts know how the migration has ended. */
  readonly acknowledged: boolean;
  readonly undo: UndoOptions;
  /** The addresses that go with the workload. */
  readonly addresses: readonly OutgoingAddress[];
  /** True from before addresses are moved, by the library or by `switchOver`, until they are back. */
  readonly isSwitchedOver: boolean;
}

/** An address that goes with a workload. */
export interface OutgoingAddress extends Cidr {
  readonly device: string;
  /** The kernel's message about it in base64, with which it is created again as it was. */
  readonly message: string;
}

/** The journal of a source. */
export type OutgoingJournal = Journal<SourceState, OutgoingFacts>;

/** The default directory of the journals and images of a source. */
export const STATE_DIRECTORY = '/var/lib/node-criu';

/** The directory of the images of a migration from this host; each round has a directory in it. */
export function outgoingImages(directory: string, id: string): string {
  return join(directory, 'images', id);
}

/** The directory of the journals of a source. */
export function outgoingJournals(directory: string): string {
  return join(directory, 'outgoing');
}

/** The beginnings of the logs of all dumps of a migration; empty if there was none. */
export async function logsOf(images: string, name = 'dump.log'): Promise<string> {
  const rounds = await readdir(images).catch((): string[] => []);
  const logs = await Promise.all(rounds.map((round) => beginningOf(join(images, round, name))));
  return logs.join('');
}
