import { open, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CheckpointableProcess, CriuError } from '../index.ts';
import { isDead, readStat } from '../procfs/stat.ts';
import { descendantsOf } from '../procfs/tree.ts';

/** A program that has slept for so long, with all of its children, is taken to have started, in milliseconds. */
const IDLE_MS = 100;
/** How long a program that stays busy is watched, in milliseconds. */
const LIMIT_MS = 2000;
const POLL_MS = 10;
/** How much of the end of standard error is kept, in bytes. */
const KEPT = 64 * 1024;

/** The file of a program's standard error, and how much of it is older than the program. */
export interface StderrFile {
  readonly path: string;
  readonly from: number;
}

/** Notes the end of a file to which a program's standard error will be appended. */
export async function stderrFile(path: string | undefined): Promise<StderrFile | undefined> {
  if (path === undefined) return undefined;
  return { path, from: (await stat(path).catch(() => undefined))?.size ?? 0 };
}

/**
 * Watches a program that has just been started until it waits for something, at most 2 seconds.
 * @throws CriuError ERR_CRIU_PROGRAM_ENDED if it ends
 */
export async function assertStarted(
  file: string,
  program: CheckpointableProcess,
  stderr: StderrFile | undefined,
): Promise<void> {
  let last = '';
  let idleSince = performance.now();
  for (const start = idleSince; performance.now() - start < LIMIT_MS; ) {
    await sleep(POLL_MS);
    // Awaiting `exited` of a program that runs would keep this process running, too.
    if (!program.kill(0)) throw await earlyEnd(file, program, stderr);
    const { isIdle, signature } = await readActivity(program.pid);
    if (!isIdle || signature !== last) idleSince = performance.now();
    last = signature;
    if (performance.now() - idleSince >= IDLE_MS) return;
  }
}

/**
 * What a program and its children do: a shell waits while the program that it has started is loaded.
 * Whoever waits for a processor or a disk is about to start, too.
 */
async function readActivity(root: number): Promise<{ isIdle: boolean; signature: string }> {
  const stats = await Promise.all(descendantsOf(root).map((pid) => readStat(pid)));
  const isIdle = stats.every((stat) => stat === undefined || stat.state === 'S' || isDead(stat));
  const signature = stats.map((stat) => `${stat?.startTime} ${stat?.cpuTicks}`).join();
  return { isIdle, signature };
}

/** The error for a program that ended when it should start. */
export async function earlyEnd(
  file: string,
  { pid, exited }: CheckpointableProcess,
  stderr: StderrFile | undefined,
): Promise<CriuError> {
  const exit = await exited;
  const how = exit.signal ? `by ${exit.signal}` : `with exit code ${exit.code}`;
  // A pipe or a temporary file would show it, but then every dump of the program would depend on that.
  const discarded = stderr ? '' : '; its standard error was discarded';
  const message = `spawnCheckpointable: ${file} ended at once ${how}${discarded}`;
  const operation = 'spawnCheckpointable';
  const text = stderr && (await endOf(stderr).catch(() => ''));
  return new CriuError('ERR_CRIU_PROGRAM_ENDED', message, { operation, pid, exit, stderr: text });
}

/** What was appended to a file. Only a regular file can be read without waiting. */
async function endOf({ path, from }: StderrFile): Promise<string> {
  if (!(await stat(path)).isFile()) return '';
  await using file = await open(path);
  const { size } = await file.stat();
  const start = Math.max(from, size - KEPT);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
  return buffer.toString('utf8', 0, bytesRead).trimEnd();
}
