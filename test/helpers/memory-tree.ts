import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Criu } from '../../src/index.ts';
import { compileFixture } from './compile.ts';
import { startProgram, temporaryDirectory, waitFor, waitGone } from './workload.ts';

/** One of the processes that test/fixtures/memory-tree.c is. */
export interface Member {
  /** Its pid, as it knows it. */
  pid(): Promise<number>;
  /** How many pages it has looked at. */
  seen(): Promise<number>;
  /** Resolves when it has looked at more. */
  looksOn(): Promise<void>;
  /** Resolves when it has looked at each page once more. */
  looksAtAll(): Promise<void>;
}

/** A tree of processes that look at their memory all the time; killed after the test. */
export interface MemoryTree {
  readonly pid: number;
  /** The parent, and its children. */
  readonly members: readonly Member[];
  /** One that a member forks when it gets its `nth` SIGUSR1. */
  forked(member: number, nth: number): Member;
  /** What the processes have seen that was not as they had written it. */
  wrong(): Promise<string>;
}

/** @param ofParent the MiB of the parent, if it has less or more than its children */
export async function startMemoryTree(
  mib: number,
  children: number,
  ofParent = mib,
): Promise<MemoryTree> {
  const file = join(await temporaryDirectory(), 'seen');
  const args = [file, mib, children, ofParent].map(String);
  const { pid } = await startProgram(await compileFixture('memory-tree'), args);
  const sizeOf = (index: number) => (index === 0 ? ofParent : mib);
  const brood: MemoryTree = {
    pid,
    members: Array.from(Array(children + 1), (_, index) =>
      memberOf(`${file}.${index}`, sizeOf(index)),
    ),
    forked: (member, nth) => memberOf(`${file}.${member}.${nth}`, sizeOf(member)),
    wrong: () => readFile(`${file}.wrong`, 'utf8'),
  };
  for (const member of brood.members) await member.looksOn();
  return brood;
}

function memberOf(file: string, mib: number): Member {
  const said = async () =>
    (await readFile(file, 'utf8').catch(() => '')).trim().split(/\s+/).map(Number);
  const seen = async () => (await said())[0] ?? 0;
  const looks = async (further: number) => {
    const until = (await seen()) + further;
    await waitFor(async () => (await seen()) >= until, `${file}: it looks at its memory`);
  };
  return {
    seen,
    pid: async () => (await said())[1] ?? 0,
    looksOn: () => looks(1),
    looksAtAll: () => looks(mib * 256),
  };
}

/** Such processes that are only in their images any more. */
export async function dumpedMemoryTree(criu: Criu, ...given: Parameters<typeof startMemoryTree>) {
  const brood = await startMemoryTree(...given);
  const pids = await Promise.all(brood.members.map((member) => member.pid()));
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(brood.pid, { imagesDirectory });
  await Promise.all(pids.map(waitGone));
  return { brood, pids, imagesDirectory };
}
