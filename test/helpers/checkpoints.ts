import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Criu, CriuOpts, Hooks } from '../../src/index.ts';
import { childrenOf } from '../../src/procfs/tree.ts';
import { compileFixture } from './compile.ts';
import { networkNamespace, startThrough } from './namespaces.ts';

import {
  type Counter,
  startCounter,
  startProgram,
  temporaryDirectory,
  waitFor,
  waitGone,
} from './workload.ts';

/** A counter that was dumped and has ended, and the file that it counts into. */
export async function dumpedCounter(
  criu: Criu,
): Promise<{ counter: Counter; file: string; imagesDirectory: string }> {
  const directory = await temporaryDirectory();
  const counter = await startCounter(directory);
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(counter.pid, { imagesDirectory });
  await waitGone(counter.pid);
  return { counter, file: join(directory, 'numbers'), imagesDirectory };
}

/** A counter in a network namespace of its own, which sends its numbers through a connection. */
export async function startTalker(): Promise<{ counter: Counter; options: CriuOpts }> {
  const namespace = await networkNamespace();
  const counter = await startCounting('talk', [], ['nsenter', `--net=${namespace}`]);
  return { counter, options: { tcpEstablished: true } };
}

/** Starts a fixture that counts into the file that is its first argument. */
export async function startCounting(
  fixture: string,
  args: readonly string[] = [],
  through: readonly string[] = ['env'],
): Promise<Counter> {
  const file = join(await temporaryDirectory(), 'numbers');
  const program = await startThrough(through, await compileFixture(fixture), [file, ...args]);
  const counter = { ...program, ...counting(file, program.pid) };
  await counter.countsOn();
  return counter;
}

/** A tree of four processes, each of which counts. */
export async function startFamily(): Promise<{ pid: number; members: Counting[] }> {
  const file = join(await temporaryDirectory(), 'numbers');
  const { pid } = await startProgram(await compileFixture('family'), [file]);
  const members = [0, 1, 2, 3].map((member) => counting(`${file}.${member}`, pid));
  for (const member of members) await member.countsOn();
  return { pid, members };
}

/** A tree of four processes that was dumped and has ended. */
export async function dumpedFamily(criu: Criu) {
  const family = await startFamily();
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(family.pid, { imagesDirectory });
  const names = await readdir(imagesDirectory);
  const pids = names.flatMap((name) => /^core-(\d+)\.img$/.exec(name)?.[1] ?? []).map(Number);
  for (const pid of pids) await waitGone(pid);
  return { ...family, pids, imagesDirectory };
}

/** Access to a process that counts into a file. */
export type Counting = Pick<Counter, 'count' | 'numbers' | 'countsOn'>;

/** A process that counts into a file, now or later. */
export function counting(file: string, pid: number): Counting {
  const numbers = async () =>
    (await readFile(file, 'utf8').catch(() => '')).split('\n').slice(0, -1).map(Number);
  const count = async () => (await numbers()).at(-1) ?? 0;
  const countsOn = async () => {
    const before = await count();
    await waitFor(async () => (await count()) > before, `process ${pid} counts on in ${file}`);
  };
  return { numbers, count, countsOn };
}

/** True if the process has written every number from 1 on exactly once. */
export async function countsInOrder(counter: Counting): Promise<boolean> {
  return (await counter.numbers()).every((number, index) => number === index + 1);
}

/** The running criu of this process, for use in a hook. */
export async function runningCriu(): Promise<number> {
  const stats = await Promise.all(
    childrenOf(process.pid).map((pid) => readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')),
  );
  // With asChild criu has a younger sibling, which has the name of criu until it is restored. The kernel
  // lists siblings by age. Pids do not show the age, because the sibling gets its original pid.
  const [oldest] = stats
    .filter((stat) => stat.includes(' (criu) '))
    .map((stat) => ({ pid: Number.parseInt(stat, 10), started: Number(stat.split(' ')[21]) }))
    .sort((a, b) => a.started - b.started);
  if (!oldest) throw new Error('there is no criu');
  return oldest.pid;
}

/** CRIU's name of the step at which each hook is called. */
export const steps = {
  preDump: 'pre-dump',
  networkLock: 'network-lock',
  queryExtFiles: 'query-ext-files',
  postDump: 'post-dump',
  preRestore: 'pre-restore',
  setupNamespaces: 'setup-namespaces',
  postSetupNamespaces: 'post-setup-namespaces',
  postRestore: 'post-restore',
  networkUnlock: 'network-unlock',
  preResume: 'pre-resume',
  postResume: 'post-resume',
} as const satisfies Partial<Record<keyof Hooks, string>>;
