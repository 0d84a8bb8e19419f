import { readdirSync, readlinkSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { compileFixture } from './compile.ts';
import { isAlive, processState, startProgram, temporaryDirectory, waitFor } from './workload.ts';

/** An uninterrupted stay of a process in one pid namespace. */
export interface Stay {
  /** True for the namespace in which the process was started. */
  readonly here: boolean;
  readonly first: number;
  readonly last: number;
}

/** A process that logs where and when it runs; see test/fixtures/run-log.c. */
export class RunLog {
  readonly pid: number;
  readonly #log: string;
  readonly #program: string;

  /** Starts one. It is killed after the test with all copies that are visible here. */
  static async start(heapMiB: number): Promise<RunLog> {
    const log = join(await temporaryDirectory(), 'log');
    const program = await compileFixture('run-log');
    const { pid } = await startProgram(program, [log, String(heapMiB)]);
    const runLog = new RunLog(pid, log, program);
    onTestFinished(async () => {
      for (const copy of await runLog.copies()) process.kill(copy, 'SIGKILL');
    });
    await runLog.writesOn();
    return runLog;
  }

  private constructor(pid: number, log: string, program: string) {
    this.pid = pid;
    this.#log = log;
    this.#program = program;
  }

  /** The original and all copies, running or not. */
  async copies(): Promise<number[]> {
    // Not found by its arguments, which may be on a page that has not arrived.
    const isCopy = (pid: string) => {
      try {
        if (readlinkSync(`/proc/${pid}/exe`) !== this.#program) return false;
        const files = readdirSync(`/proc/${pid}/fd`);
        return files.some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === this.#log);
      } catch {
        return false;
      }
    };
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isCopy(name));
    const alive = await Promise.all(pids.map((pid) => isAlive(Number(pid))));
    return pids.filter((_, index) => alive[index]).map(Number);
  }

  /** Resolves with the pid in this namespace once only one copy exists and runs. */
  async alone(): Promise<number> {
    let copies: number[] = [];
    const one = async () => {
      copies = await this.copies();
      const [state] = await Promise.all(copies.map(processState));
      return copies.length === 1 && !'Tt'.includes(state ?? 'T');
    };
    await waitFor(one, 'there is one copy, and it runs').catch((error) => {
      throw new Error(`${error.message}; there are ${copies.length}: ${copies.join(', ')}`);
    });
    await this.writesOn();
    return copies[0] as number;
  }

  async writesOn(): Promise<void> {
    const size = async () => (await stat(this.#log).catch(() => undefined))?.size ?? 0;
    const before = await size();
    await waitFor(async () => (await size()) > before, 'the program appends to its log');
  }

  /** Has the one copy check all of its memory; fails if any of it was ever wrong. */
  async verify(): Promise<void> {
    const lines = async () => (await readFile(this.#log, 'utf8')).split('\n');
    const answers = async () => (await lines()).filter((line) => /^(ok|wrong)/.test(line));
    const before = (await answers()).length;
    process.kill(await this.alone(), 'SIGUSR1');
    await waitFor(async () => (await answers()).length > before, 'it has looked at its memory');
    const wrong = (await answers()).filter((line) => line !== 'ok');
    if (wrong.length > 0) throw new Error(`the memory of the program: ${wrong.join(', ')}`);
  }

  /** The stays in order of time. */
  async stays(): Promise<Stay[]> {
    const lines = (await readFile(this.#log, 'utf8')).split('\n').slice(0, -1);
    const ticks = lines.filter((line) => /^\d/.test(line)).map((line) => line.split(' '));
    const stays: (Stay & { space: string; last: number })[] = [];
    for (const [space = '', text] of ticks) {
      const count = Number(text);
      const stay = stays.at(-1);
      if (stay?.space === space && stay.last + 1 === count) stay.last = count;
      else stays.push({ here: space === ticks[0]?.[0], first: count, last: count, space });
    }
    return stays.map(({ here, first, last }) => ({ here, first, last }));
  }
}
