import { isatty } from 'node:tty';
import type { TtyInfoEntry } from '../../generated/images/types.ts';
import { minor } from '../../procfs/device.ts';
import { found } from '../checks/check.ts';
import { isMaster, isSlave } from '../checks/terminals.ts';
import { type DumpedFile, filesOf, type RestoreCheck } from './subject.ts';

const EXTERNAL = 5;

/**
 * Terminals whose master was outside the tree: the restore puts another one in their place. Source:
 * CRIU's criu/tty.c, tty_find_restoring_task.
 */
export const terminals: RestoreCheck = ({ checkpoint, options }) => {
  const all = filesOf(checkpoint).flatMap((one) => {
    const terminal = checkpoint.terminals.get(one.file.tty?.tty_info_id ?? -1);
    return terminal ? [{ ...one, terminal }] : [];
  });
  const masters = new Set(
    all
      .filter(({ terminal: { rdev } }) => isMaster(rdev))
      .map(({ terminal }) => numberOf(terminal)),
  );
  const { shellJob = false, orphanPtsMaster, hooks } = options;
  const takesNew = orphanPtsMaster === true || hooks?.orphanPtsMaster !== undefined;
  const orphans = new Map<number, DumpedFile & { readonly terminal: TtyInfoEntry }>();
  for (const one of all) {
    const { rdev, type, termios, sid } = one.terminal;
    // A terminal that was hung up has no master.
    if (!isSlave(rdev) || type === EXTERNAL || !termios) continue;
    const number = numberOf(one.terminal);
    if (masters.has(number) || (takesNew && sid !== 0) || orphans.has(number)) continue;
    orphans.set(number, one);
  }
  return [...orphans].flatMap(([number, { process, fd, place }]) => {
    const subject = `${place} is the terminal /dev/pts/${number}, whose master was outside the tree`;
    if (!shellJob) {
      return found('TERMINAL_OUTSIDE', process, {
        message: subject,
        fd,
        remedy:
          'Set shellJob to restore it in the terminal of this process, or take a new one with hooks.orphanPtsMaster.',
      });
    }
    if (isatty(0)) return [];
    return found('TERMINAL_OUTSIDE', process, {
      message: `${subject}, and the standard input of this process, which takes its place, is no terminal`,
      fd,
      remedy: 'Restore it from a terminal, or take a new one with hooks.orphanPtsMaster.',
    });
  });
};

const numberOf = ({ pty, rdev }: TtyInfoEntry) => pty?.index ?? minor(rdev);
