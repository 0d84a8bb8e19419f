import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Criu } from '../../src/index.ts';
import { compileFixture } from './compile.ts';
import { startProgram, temporaryDirectory, waitFor, waitGone } from './workload.ts';

/** A process of test/fixtures/memory-tree.c. */
export interface Member {
  /** Its pid in its own pid namespace. */
  pid(): Promise<number>;
  /** How many pages it has read so far. */
  pagesRead(): Promise<number>;
  /** Resolves when it has read another page. */
  readsOn(): Promise<void>;
  /** Resolves when it has read every page once more. */
  readsAll(): Promise<void>;
}

/** A tree of processes that read all their memory over and over; killed after the test. */
export interface MemoryTree {
  readonly pid: number;
  /** The parent first, then its children. */
  readonly members: readonly Member[];
  /** The process that a member forks at its `nth` SIGUSR1. */
  forkOf(member: number, nth: number): Member;
  /** The pages whose content was not what the processes had written; empty if there are none. */
  wrongPages(): Promise<string>;
}

/** @param ofParent the MiB of the parent, if it differs from that of its children */
export async function startMemoryTree(
  mib: number,
  children: number,
  ofParent = mib,
): Promise<MemoryTree> {
  const file = join(await temporaryDirectory(), 'seen');
  const args = [file, mib, children, ofParent].map(String);
  const { pid } = await startProgram(await compileFixture('memory-tree'), args);
  const sizeOf = (index: number) => (index === 0 ? ofParent : mib);
  const tree: MemoryTree = {
    pid,
    members: Array.from(Array(children + 1), (_, index) =>
      memberOf(`${file}.${index}`, sizeOf(index)),
    ),
    forkOf: (member, nth) => memberOf(`${file}.${member}.${nth}`, sizeOf(member)),
    wrongPages: () => readFile(`${file}.wrong`, 'utf8'),
  };
  for (const member of tree.members) await member.readsOn();
  return tree;
}

function memberOf(file: string, mib: number): Member {
  const report = async () =>
    (await readFile(file, 'utf8').catch(() => '')).trim().split(/\s+/).map(Number);
  const pagesRead = async () => (await report())[0] ?? 0;
  const readFurther = async (further: number) => {
    const until = (await pagesRead()) + further;
    await waitFor(async () => (await pagesRead()) >= until, `${file}: it reads its memory`);
  };
  return {
    pagesRead,
    pid: async () => (await report())[1] ?? 0,
    readsOn: () => readFurther(1),
    readsAll: () => readFurther(mib * 256),
  };
}

/** Dumps such a tree: the processes have ended, and can be restored from the images. */
export async function dumpedMemoryTree(criu: Criu, ...given: Parameters<typeof startMemoryTree>) {
  const tree = await startMemoryTree(...given);
  const pids = await Promise.all(tree.members.map((member) => member.pid()));
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(tree.pid, { imagesDirectory });
  await Promise.all(pids.map(waitGone));
  return { tree, pids, imagesDirectory };
}
