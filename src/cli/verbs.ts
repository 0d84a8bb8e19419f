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

/** Add the verbs of the command, in the order in which `--help` lists them. */
export const verbs: readonly ((program: Command) => void)[] = [
  ...[addRun, addPreflight, addDump, addIterate, addRestore, addLazyRestore, addVerify, addCheck],
  ...[addCheckpoint, addList, addPrune, addRm, addWarm, addCopy, addContainer],
  ...[addShow, addReport, addDiff, addMemory, addMerge, addEdit, addDecode, addEncode],
  ...[addServe, addMigrate, addMigrations, addResolve, addCert, addCompletion, addBuildAddon],
];
