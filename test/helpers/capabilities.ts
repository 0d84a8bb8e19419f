import { join } from 'node:path';
import { execa } from 'execa';
import { criuPath } from '../../scripts/criu-path.mjs';

const script = join(import.meta.dirname, '../fixtures/without-rights.mjs');

/** Ways to run a program without the capabilities that CRIU needs. */
export const deprivations = {
  'a process without capabilities': ['setpriv', '--bounding-set', '-all', '--inh-caps', '-all'],
  'another user': ['setpriv', '--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups'],
  'a process without CAP_SYS_ADMIN and CAP_CHECKPOINT_RESTORE': [
    'setpriv',
    '--bounding-set',
    '-sys_admin,-checkpoint_restore',
    '--inh-caps',
    '-all',
  ],
} as const;

/** Calls a method of a client in a process without capabilities; resolves with its error, or `done`. */
export async function callWithout(
  [command, ...changes]: readonly [string, ...string[]],
  method: string,
  args: readonly unknown[] = [],
): Promise<Record<string, unknown>> {
  const call = [script, criuPath(), method, ...args.map((arg) => JSON.stringify(arg))];
  const { stdout } = await execa(command, [...changes, process.execPath, ...call]);
  return JSON.parse(stdout);
}
