// The programs of the laboratory, as seen from the one that runs it: the agents inside of hosts, the
// server that is migrated, and the client that measures.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { criuPath } from '../../scripts/criu-path.mjs';

const PORT = 8080;
const pathOf = (name) => fileURLToPath(new URL(name, import.meta.url));

/** A program inside of a host that does tasks. */
class Program {
  #child;
  #host;
  #waiting = new Map();
  #handlers = new Map();
  #made = 0;

  constructor(host, args) {
    this.#host = host;
    const stdio = ['ignore', 'inherit', 'inherit', 'ipc'];
    this.#child = host.spawn(process.execPath, args, { stdio });
    this.ended = once(this.#child, 'exit');
    this.started = new Promise((resolve, reject) => {
      this.#child.once('message', ({ ready }) => {
        this.pid = ready;
        resolve(this);
      });
      this.ended.then(() => reject(new Error(`${args[0]} has ended`)), reject);
    });
    this.#child.on('message', (message) => this.#take(message));
    this.ended
      .then(() => {
        for (const { task, reject } of this.#waiting.values()) {
          reject(new Error(`it has ended while it did ${task}`));
        }
      })
      .catch(() => {});
  }

  /** Has it do a task; resolves with the result. */
  ask(task, options = {}) {
    return new Promise((resolve, reject) => {
      const id = ++this.#made;
      this.#waiting.set(id, { task, resolve, reject });
      const failed = (error) => error && reject(error);
      if (!this.#child.connected) return reject(new Error(`it has ended before ${task}`));
      this.#child.send({ id, task, options }, failed);
    });
  }

  /** What is done when it asks for something by this name; it waits for that. */
  on(name, handler) {
    this.#handlers.set(name, handler);
  }

  /** Kills it, and nothing that it has started. */
  async kill(signal = 'SIGKILL') {
    await this.#host.kill(this.pid, signal);
    await this.ended;
  }

  async #take({ id, result, error, call, name, details }) {
    if (call !== undefined) {
      try {
        this.#send({ call, result: await this.#handlers.get(name)?.(details) });
      } catch ({ message }) {
        this.#send({ call, error: { message } });
      }
    }
    const { task, resolve, reject } = this.#waiting.get(id) ?? {};
    if (!this.#waiting.delete(id)) return;
    if (error) reject(Object.assign(new Error(`${task}: ${error.message}`), { facts: error }));
    else resolve(result);
  }

  #send(message) {
    if (this.#child.connected) this.#child.send(message, () => {});
  }
}

export class Agent extends Program {
  constructor(host) {
    super(host, [pathOf('agent.mjs'), criuPath()]);
  }
}

export class Client extends Program {
  constructor({ client, serviceAddress }) {
    super(client, [pathOf('client.mjs'), serviceAddress, String(PORT)]);
  }

  /** Starts to measure; resolves when answers come. */
  async measure(options = {}) {
    await this.ask('start', options);
    await this.answersOn();
  }

  /** Resolves when some more answers have come than there are now. */
  async answersOn(more = 10) {
    const before = await this.ask('answers');
    await until(async () => (await this.ask('answers')) >= before + more, 'the server answers');
  }
}

export async function startAgent(host) {
  return await new Agent(host).started;
}

export async function startClient(lab) {
  return await new Client(lab).started;
}

/** Starts the server through an agent; resolves with its pid on that host when it listens. */
export async function startServer(lab, agent, options = {}) {
  const output = join(lab.directory, `server-${Date.now()}.log`);
  const flags = process.versions.node.startsWith('20.') ? ['--no-wasm-memory-protection-keys'] : [];
  const args = Object.entries(options).flatMap(([name, value]) =>
    typeof value === 'boolean' ? (value ? [`--${name}`] : []) : [`--${name}`, String(value)],
  );
  const pid = await agent.ask('start', {
    file: process.execPath,
    args: [...flags, pathOf('server.mjs'), '--port', String(PORT), ...args],
    stdout: output,
    stderr: output,
  });
  const said = () => readFile(output, 'utf8').catch(() => '');
  try {
    await until(async () => (await said()).includes('ready'), 'the server is ready');
  } catch (cause) {
    throw new Error(`the server says: ${await said()}`, { cause });
  }
  return pid;
}

/** Migrates a process by hand: with criu's own program, and its images on a tmpfs of both hosts. */
export async function migrateByHand(lab, pid, from, to) {
  const script = fileURLToPath(new URL('../../scripts/bench/by-hand.sh', import.meta.url));
  const hosts = [from.init, to.init].map(String);
  const args = [script, criuPath(), String(pid), ...hosts, lab.serviceAddress];
  const child = spawn('bash', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
  }
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`by-hand.sh ended with ${code}: ${said}`);
  return Object.fromEntries(
    [...said.matchAll(/^(\w+) (\d+)$/gm)].map(([, step, ms]) => [step, Number(ms)]),
  );
}

/** Migrates a process by go-criu's phaul; resolves with the bytes of all images. */
export async function migrateByPhaul(lab, pid, from, to) {
  const program = pathOf('../../.cache/bench/peers/phaul');
  const env = { ...process.env, PATH: `${dirname(criuPath())}:${process.env.PATH}` };
  const [here, there] = [from, to].map(({ name }) => join(lab.directory, `phaul-${name}`));
  await Promise.all([here, there].map((directory) => mkdir(directory)));
  const way = [`${to.address}:7777`, lab.serviceAddress];
  const stdio = ['ignore', 'pipe', 'inherit'];
  const server = to.spawn(program, ['server', ...way, there], { env, stdio });
  const ended = once(server, 'exit');
  await Promise.race([once(server.stdout.resume(), 'data'), ended]);
  await from.run(program, ['client', ...way, here, String(pid)], { env });
  await ended;
  const sizes = await to.run('find', [there, '-name', '*.img', '-printf', '%s\n']);
  return sizes.split('\n').reduce((sum, size) => sum + Number(size), 0);
}

async function until(condition, what) {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(5)) {
    if (await condition()) return;
  }
  throw new Error(`waited in vain: ${what}`);
}
