import { externalTerminal } from '../../launch/outside-descriptors.ts';
import { major, minor } from '../../procfs/device.ts';
import type { Descriptor, ProcessFacts, Snapshot } from '../snapshot.ts';
import { type Check, descriptorsOf, found, isExternal, nameOf, type Subject } from './check.ts';

// Documentation/admin-guide/devices.txt of Linux.
const CONSOLES = 4;
const AUXILIARY = 5;
const CONTROLLING = 0;
const CONSOLE = 1;
const MULTIPLEXER = 2;
const MASTERS = [128, 135] as const;
const SLAVES = 136;
const SERIAL = [188, 204];
const MAX_CONSOLES = 63;

export const isMaster = (device: number) =>
  (major(device) >= MASTERS[0] && major(device) <= MASTERS[1]) ||
  is(device, AUXILIARY, MULTIPLEXER);
export const isSlave = (device: number) => major(device) === SLAVES;
const is = (device: number, one: number, other: number) =>
  major(device) === one && minor(device) === other;

/** True for a device that CRIU treats as a terminal. */
export function isTerminal(device: number): boolean {
  if (isMaster(device) || isSlave(device) || SERIAL.includes(major(device))) return true;
  if (major(device) === CONSOLES) return minor(device) <= MAX_CONSOLES;
  return major(device) === AUXILIARY && [CONTROLLING, CONSOLE].includes(minor(device));
}

interface Terminal {
  readonly process: ProcessFacts;
  readonly descriptor: Descriptor;
  readonly device: number;
  readonly external: string;
  readonly isExternal: boolean;
}

/** The terminals of the tree, except those that are hung up: they have no master that could be missing. */
function terminalsOf({ snapshot, options }: Parameters<Check>[0]): Terminal[] {
  return descriptorsOf(snapshot).flatMap(([process, descriptor]) => {
    const stats = descriptor.file?.stats;
    if (!stats?.isCharacterDevice() || !isTerminal(stats.rdev)) return [];
    if (descriptor.link.endsWith(' (deleted)')) return [];
    const external = externalTerminal(stats);
    return {
      process,
      descriptor,
      device: stats.rdev,
      external,
      isExternal: isExternal(options, external),
    };
  });
}

/** Reduces terminals to one per device: a shell's child has its terminal three times. */
function once(terminals: readonly Terminal[]): Terminal[] {
  const devices = new Set<number>();
  return terminals.filter(({ device }) => !devices.has(device) && devices.add(device));
}

/** Slaves whose master is outside the tree. */
export const orphanTerminals: Check = (subject) => {
  const { shellJob, orphanPtsMaster, hooks } = subject.options;
  const orphans = orphansOf(subject);
  // CRIU can inherit one of them.
  const allowed = shellJob || orphanPtsMaster || hooks?.orphanPtsMaster ? 1 : 0;
  return orphans.length <= allowed ? [] : orphans.map((one) => outside(one, allowed === 1));
};

function orphansOf(subject: Subject): Terminal[] {
  const terminals = terminalsOf(subject).filter((one) => !one.isExternal);
  const masters = new Set(terminals.map(({ descriptor }) => descriptor.info?.terminal));
  return once(terminals.filter((one) => isSlave(one.device))).filter(
    ({ device }) => !masters.has(minor(device)),
  );
}

/** The device numbers of the slaves whose master is outside the tree. */
export function orphanSlaves(snapshot: Snapshot): number[] {
  const subject = { snapshot, options: {} } as Subject;
  return orphansOf(subject).map(({ device }) => device);
}

/** A terminal that the restore of a shell job replaces by its own. */
export const inheritedTerminals: Check = (subject) => {
  const { shellJob, orphanPtsMaster, hooks } = subject.options;
  if (!shellJob || orphanPtsMaster || hooks?.orphanPtsMaster) return [];
  if (subject.snapshot.caller.hasTerminal) return [];
  const orphans = orphansOf(subject);
  if (orphans.length !== 1) return [];
  return orphans.map(({ process, descriptor: { fd, link } }) =>
    found('TERMINAL_OUTSIDE', process, {
      severity: 'warning',
      message: `descriptor ${fd} of ${nameOf(process)} is the terminal ${link}, in whose place the restore needs a terminal as its standard input; this process has none`,
      fd,
      remedy: 'Restore it from a terminal, or take a new one with hooks.orphanPtsMaster.',
    }),
  );
};

function outside({ process, descriptor, external }: Terminal, isMany: boolean) {
  const { fd, link } = descriptor;
  const inherit = `add ${external} to external`;
  return found('TERMINAL_OUTSIDE', process, {
    message: `descriptor ${fd} of ${nameOf(process)} is the terminal ${link}, whose master is outside the tree`,
    fd,
    remedy: isMany
      ? `Only one terminal can be inherited; ${inherit}.`
      : `Set shellJob for the dump and the restore, or ${inherit}.`,
  });
}

/** Controlling terminals whose session leader is outside the tree. */
export const foreignSessions: Check = (subject) => {
  if (subject.options.shellJob) return [];
  const tree = new Set(subject.snapshot.processes.map(({ pid }) => pid));
  const orphans = new Set(orphanTerminals(subject).map(({ pid, fd }) => `${pid} ${fd}`));
  return once(
    terminalsOf(subject).filter(({ process, descriptor, device }) => {
      const { terminal, session } = process.stat;
      const isOwn = terminal === device || is(device, AUXILIARY, CONTROLLING);
      const isKnown = orphans.has(`${process.pid} ${descriptor.fd}`);
      return terminal !== 0 && isOwn && !tree.has(session) && !isKnown;
    }),
  ).map(({ process, descriptor: { fd, link } }) =>
    found('TERMINAL_OUTSIDE', process, {
      message: `descriptor ${fd} of ${nameOf(process)} is the terminal ${link} of session ${process.stat.session}, whose leader is outside the tree`,
      fd,
      remedy: 'Set shellJob for the dump and the restore.',
    }),
  );
};

/** /dev/tty is an alias of another terminal, which the process must also have open by its own name. */
export const aliases: Check = (subject) => {
  const terminals = terminalsOf(subject);
  return once(
    terminals.filter(({ process, device, isExternal: known }) => {
      if (known || !is(device, AUXILIARY, CONTROLLING)) return false;
      const { session, foreground } = process.stat;
      const hasIt = terminals.some(
        (one) => one.process === process && isSlave(one.device) && !one.isExternal,
      );
      return !hasIt || foreground !== session;
    }),
  ).map(({ process, descriptor: { fd } }) =>
    found('TERMINAL_OUTSIDE', process, {
      message: `descriptor ${fd} of ${nameOf(process)} is /dev/tty, and the process does not have the terminal itself open`,
      fd,
      remedy: 'Close it, or open the terminal by its own name, such as /dev/pts/0.',
    }),
  );
};
