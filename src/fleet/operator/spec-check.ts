import { invalid } from '../../errors.ts';
import { addresses } from '../../migration/protocol/address-options.ts';
import {
  anyObject,
  check,
  checkOptions,
  object,
  readOptions,
  record,
  required,
  type Shape,
} from '../../options/check.ts';
import { flag, integer, isInteger, isText, pid, text } from '../../options/kinds.ts';
import { labels, name } from '../names.ts';
import type { Placement } from '../view.ts';
import type {
  CheckpointSchedule,
  ContainerWorkload,
  CopyWorkload,
  ProcessWorkload,
  ProgramWorkload,
  WorkloadSpec,
  WorkloadTraits,
} from '../workload-spec.ts';

const traits: Shape<WorkloadTraits> = {
  name: required(name),
  labels,
  placement: object<Placement>({ hostLabels: labels, affinity: labels, antiAffinity: labels }),
  addresses,
  allowPostCopy: flag,
  dump: anyObject,
  checkpoint: object<CheckpointSchedule>({
    every: required(
      check('milliseconds, from 1000', (value) => isInteger(value, 1000, 0x7fffffff)),
    ),
    keep: integer(1, 10_000),
  }),
};

const memoryBytes = integer(0, Number.MAX_SAFE_INTEGER);
const id = integer(0, 0x7fffffff);

const program: Shape<ProgramWorkload> = {
  ...traits,
  command: required(
    check(
      'an array of strings: a program and its arguments',
      (value) =>
        Array.isArray(value) && isText(value[0]) && value.every((one) => typeof one === 'string'),
    ),
  ),
  cwd: text,
  env: record(
    'a record of strings',
    isText,
    check('a string', (one) => typeof one === 'string'),
  ),
  output: text,
  uid: id,
  gid: id,
  pidNamespace: flag,
  memoryBytes,
};

const process: Shape<ProcessWorkload> = { ...traits, pid: required(pid) };

const container: Shape<ContainerWorkload> = {
  ...traits,
  // It names a directory at the hosts that it comes to.
  container: required(
    check('the id of a container', (value) => isText(value) && !/^\.|\//.test(value as string)),
  ),
  root: text,
};

const copy: Shape<CopyWorkload> = { ...traits, template: required(text), memoryBytes };

/** What tells the kinds of workloads apart. */
const kinds: Readonly<Record<string, Shape<never>>> = {
  command: program,
  pid: process,
  container,
  template: copy,
} as never;

/** Validates what a workload is to be. @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export function checkSpec(operation: string, given: WorkloadSpec): WorkloadSpec {
  const options = readOptions(operation, given);
  const found = Object.keys(kinds).filter(
    (kind) => (options as unknown as Record<string, unknown>)[kind] !== undefined,
  );
  const [kind = ''] = found;
  if (found.length !== 1) {
    const takes = `one of ${Object.keys(kinds).join(', ')}: what the workload is`;
    throw invalid(operation, found[1] ?? 'command', takes, undefined);
  }
  return checkOptions(operation, options, kinds[kind] as never) as WorkloadSpec;
}
