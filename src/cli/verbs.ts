import type { Command } from 'commander';
import { addBuildAddon } from './build-addon.ts';
import { addCert } from './cert.ts';
import { addCheck } from './check.ts';
import { addCheckpoint } from './checkpoint.ts';
import { addCompletion } from './completion.ts';
import { addContainer } from './container.ts';
import { addCopy } from './copy.ts';
import { addDecode } from './decode.ts';
import { addDiff } from './diff.ts';
import { addDump } from './dump.ts';
import { addEdit } from './edit.ts';
import { addEncode } from './encode.ts';
import { addFleet } from './fleet.ts';
import { addIterate } from './iterate.ts';
import { addLazyRestore } from './lazy-restore.ts';
import { addList } from './list.ts';
import { addMemory } from './memory.ts';
import { addMerge } from './merge.ts';
import { addMigrate } from './migrate.ts';
import { addMigrations } from './migrations.ts';
import { addPreflight } from './preflight.ts';
import { addPrune } from './prune.ts';
import { addReport } from './report.ts';
import { addResolve } from './resolve.ts';
import { addRestore } from './restore.ts';
import { addRm } from './rm.ts';
import { addRun } from './run.ts';
import { addServe } from './serve.ts';
import { addShow } from './show.ts';
import { addVerify } from './verify.ts';
import { addWarm } from './warm.ts';

/** Add the verbs of the command by name, in the order in which `--help` lists them. */
export const verbs: Readonly<Record<string, (program: Command) => void>> = {
  run: addRun,
  preflight: addPreflight,
  dump: addDump,
  iterate: addIterate,
  restore: addRestore,
  'lazy-restore': addLazyRestore,
  verify: addVerify,
  check: addCheck,
  checkpoint: addCheckpoint,
  list: addList,
  prune: addPrune,
  rm: addRm,
  warm: addWarm,
  copy: addCopy,
  container: addContainer,
  show: addShow,
  report: addReport,
  diff: addDiff,
  memory: addMemory,
  merge: addMerge,
  edit: addEdit,
  decode: addDecode,
  encode: addEncode,
  serve: addServe,
  migrate: addMigrate,
  migrations: addMigrations,
  resolve: addResolve,
  fleet: addFleet,
  cert: addCert,
  completion: addCompletion,
  'build-addon': addBuildAddon,
};

/** Only the verb that is called; all verbs for the help, for mistakes and for `completion`, which lists them. */
export function verbsFor(called = ''): readonly ((program: Command) => void)[] {
  const add = Object.hasOwn(verbs, called) && called !== 'completion' && verbs[called];
  // To make the flags of all verbs takes a tenth of the time in which the command starts.
  return add ? [add] : Object.values(verbs);
}
