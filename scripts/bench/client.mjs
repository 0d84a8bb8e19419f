import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** A client of the benchmark, in a process of its own: what it understands is in peers/client.h. */
export class Client {
  #child;
  #name;
  #count = 0;
  #waiting = new Map();

  constructor(name, [file, ...args], env = {}) {
    this.#name = name;
    this.#child = spawn(file, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const [number, answer] = line.split(' ');
      this.#waiting.get(number)?.(answer);
    });
    this.#child.on('exit', () => {
      for (const answered of this.#waiting.values()) answered('error');
    });
  }

  /** Makes a request; resolves with how long the client took for it, in ms. */
  async ask(...request) {
    const number = String(this.#count++);
    const answer = await new Promise((resolve) => {
      this.#waiting.set(number, resolve);
      this.#child.stdin.write(`${[number, ...request].join(' ')}\n`);
    });
    this.#waiting.delete(number);
    if (answer === 'error') throw new Error(`${this.#name} has failed at: ${request.join(' ')}`);
    return Number(answer) / 1e6;
  }

  /** How long its threads have run on a processor, in ms, without the processes that it has started. */
  cpu() {
    const threads = `/proc/${this.#child.pid}/task`;
    const times = readdirSync(threads).map((thread) =>
      Number(readFileSync(`${threads}/${thread}/schedstat`, 'utf8').split(' ')[0]),
    );
    return times.reduce((sum, time) => sum + time, 0) / 1e6;
  }

  /** Ends it. */
  async close() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.stdin.end();
    await ended;
  }
}
