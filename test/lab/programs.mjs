// Controls the programs of the lab: the agents in the hosts, the server that is migrated, and the client
// that measures.
//
// @ts-check
/** @import { Readable } from 'node:stream' */
/** @import { Host, Lab } from './hosts.mjs' */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { criuPath } from '../../scripts/criu-path.mjs';

const PORT = 8080;
/** @param {string} name */
const pathOf = (name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * What the tasks `stop` and `report` of a client result in.
 * @typedef {object} Report
 * @property {number} answers
 * @property {number} count the last number that the server answered
 * @property {number} longestGapMs
 * @property {number} longestGapAt when the longest gap ended, as a time of day in ms
 * @property {number} connections 1 if the first connection was kept
 * @property {readonly { at: number, fault: string }[]} faults answers out of order, and errors of the
 *   connection
 * @property {readonly (readonly [number, number])[]} timeline of each answer, its time of day and the
 *   time since the answer before, in ms
 */

/**
 * What GET /verify of the server answers.
 * @typedef {object} Verification
 * @property {boolean} ok
 * @property {readonly string[]} wrong
 * @property {number} count
 * @property {number} writes
 * @property {number} workerTicks
 * @property {number} childTicks
 */

/** A program in a host that does tasks. */
export class Program {
  #child;
  #host;
  /** @type {Map<number, { task: string, resolve(result: any): void, reject(error: Error): void }>} */
  #pending = new Map();
  /** @type {Map<string, (details?: any) => unknown>} */
  #handlers = new Map();
  #lastId = 0;
  /** Its pid in the host. */
  pid = 0;

  /**
   * @param {Host<string>} host
   * @param {readonly string[]} args of Node
   */
  constructor(host, args) {
    this.#host = host;
    this.#child = host.spawn(process.execPath, args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    /** Resolves when the program has exited. */
    this.exited = once(this.#child, 'exit');
    /** @type {Promise<this>} */
    this.started = new Promise((resolve, reject) => {
      this.#child.once('message', (message) => {
        this.pid = /** @type {{ ready: number }} */ (message).ready;
        resolve(this);
      });
      this.exited.then(() => reject(new Error(`${args[0]} exited`)), reject);
    });
    this.#child.on('message', (message) => this.#receive(message));
    this.exited
      .then(() => {
        for (const { task, reject } of this.#pending.values()) {
          reject(new Error(`the program exited during ${task}`));
        }
      })
      .catch(() => {});
  }

  /**
   * Makes it do a task; resolves with the result.
   * @template [T=any]
   * @param {string} task
   * @param {object} [options]
   * @returns {Promise<T>}
   */
  ask(task, options = {}) {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#pending.set(id, { task, resolve, reject });
      /** @param {Error | null} error */
      const failed = (error) => error && reject(error);
      if (!this.#child.connected) return reject(new Error(`the program exited before ${task}`));
      this.#child.send({ id, task, options }, failed);
    });
  }

  /**
   * Sets what this side does when the program calls it by this name. The program waits for the result,
   * or fails with the error.
   * @param {string} name
   * @param {(details?: any) => unknown} handler
   */
  on(name, handler) {
    this.#handlers.set(name, handler);
  }

  /**
   * Sends a signal to the program alone, not to what it started; resolves when it has exited.
   * @param {NodeJS.Signals} [signal]
   */
  async kill(signal = 'SIGKILL') {
    await this.#host.kill(this.pid, signal);
    await this.exited;
  }

  /** @param {any} message */
  async #receive({ id, result, error, call, name, details }) {
    if (call !== undefined) {
      try {
        this.#send({ call, result: await this.#handlers.get(name)?.(details) });
      } catch (cause) {
        this.#send({ call, error: { message: /** @type {Error} */ (cause).message } });
      }
    }
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    const { task, resolve, reject } = pending;
    if (error) reject(Object.assign(new Error(`${task}: ${error.message}`), { facts: error }));
    else resolve(result);
  }

  /** @param {object} message */
  #send(message) {
    if (this.#child.connected) this.#child.send(message, () => {});
  }
}

/** Uses the library in a host; test/lab/agent.mjs has the tasks. */
export class Agent extends Program {
  /** @param {Host<string>} host */
  constructor(host) {
    super(host, [pathOf('agent.mjs'), criuPath()]);
  }
}

/** Sends requests to the server and measures; test/lab/client.mjs has the tasks. */
export class Client extends Program {
  /**
   * @param {Lab} lab
   * @param {string} address of the service
   */
  constructor({ client }, address) {
    super(client, [pathOf('client.mjs'), address, String(PORT)]);
  }

  /**
   * Starts to measure; resolves when answers arrive.
   * @param {{ patient?: boolean | undefined, probes?: boolean | undefined }} [options]
   */
  async measure(options = {}) {
    await this.ask('start', options);
    await this.answersOn();
  }

  /**
   * Resolves when this many more answers have arrived.
   * @param {number} [more]
   */
  async answersOn(more = 10) {
    await answersOn(this, more);
  }
}

/** Keeps one connection to Redis or to an HTTP server; test/lab/steady-client.mjs has the tasks. */
export class SteadyClient extends Program {
  /**
   * @param {Lab} lab
   * @param {string} address
   * @param {number} port
   * @param {'redis' | 'http'} protocol
   */
  constructor({ client }, address, port, protocol) {
    super(client, [pathOf('steady-client.mjs'), address, String(port), protocol]);
  }

  /** Resolves when more answers have arrived. */
  async answersOn() {
    await answersOn(this, 10);
  }
}

/**
 * @param {Program} client
 * @param {number} more
 */
async function answersOn(client, more) {
  const before = await client.ask('answers');
  await until(async () => (await client.ask('answers')) >= before + more, 'the server answers');
}

/** @param {Host<string>} host */
export async function startAgent(host) {
  return await new Agent(host).started;
}

/**
 * @param {Lab} lab
 * @param {string} [address] of the service
 */
export async function startClient(lab, address = lab.serviceAddress) {
  return await new Client(lab, address).started;
}

/**
 * The options of test/lab/server.mjs. With `native`, test/fixtures/memory-server.c runs in its place, which
 * knows heap, hot and rate.
 * @typedef {{ native?: boolean, heap?: number, hot?: number, rate?: number | 'max', worker?: boolean,
 *   child?: boolean, interval?: number,
 *   host?: string }} ServerOptions
 */

/**
 * Starts the server through an agent; resolves with its pid in that host once it listens.
 * @param {Lab} lab
 * @param {Agent} agent
 * @param {ServerOptions} [options]
 * @returns {Promise<number>}
 */
export async function startServer(lab, agent, options = {}) {
  const output = join(lab.directory, `server-${Date.now()}.log`);
  const pid = await agent.ask('start', {
    ...(options.native ? nativeServer(options) : nodeServer(options)),
    stdout: output,
    stderr: output,
  });
  const log = () => readFile(output, 'utf8').catch(() => '');
  try {
    await until(async () => (await log()).includes('ready'), 'the server is ready');
  } catch (cause) {
    throw new Error(`the server is not ready; its output: ${await log()}`, { cause });
  }
  return pid;
}

/** The command that runs the server. @param {ServerOptions} options */
export function nodeServer(options) {
  const isOld = process.versions.node.startsWith('20.');
  const flags = isOld ? ['--no-wasm-memory-protection-keys'] : [];
  const args = Object.entries(options).flatMap(([name, value]) =>
    typeof value === 'boolean' ? (value ? [`--${name}`] : []) : [`--${name}`, String(value)],
  );
  const script = [pathOf('server.mjs'), '--port', String(PORT)];
  return { file: process.execPath, args: [...flags, ...script, ...args] };
}

/** @param {ServerOptions} options */
function nativeServer({ heap = 1, hot = 0, rate = 0 }) {
  const compile = [pathOf('../../scripts/fixture.sh'), 'memory-server'];
  const file = execFileSync('bash', compile, { encoding: 'utf8' }).trim();
  return { file, args: [PORT, heap, hot, rate].map(String) };
}

/**
 * Migrates a process with criu's own command, as scripts/bench/by-hand.sh does, its images on a tmpfs
 * of both hosts; resolves with the duration of each step in ms.
 * @param {Lab} lab
 * @param {number} pid
 * @param {Host} from
 * @param {Host} to
 * @param {readonly string[]} [way] the destination's address and the configuration of ssh, to send the
 *   images instead: see {@link startSshServer}
 * @returns {Promise<Record<string, number>>}
 */
export async function migrateByHand(lab, pid, from, to, way = []) {
  const script = fileURLToPath(new URL('../../scripts/bench/by-hand.sh', import.meta.url));
  const hosts = [from.init, to.init].map(String);
  const args = [script, criuPath(), String(pid), ...hosts, lab.serviceAddress, ...way];
  const child = spawn('bash', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`by-hand.sh exited with ${code}: ${output}`);
  return Object.fromEntries(
    [...output.matchAll(/^(\w+) (\d+)$/gm)].map(([, step, ms]) => [step, Number(ms)]),
  );
}

/**
 * Starts an SSH server in a host; resolves with the host's address and the file that configures ssh for it.
 * @param {Lab} lab
 * @param {Host} host
 * @returns {Promise<readonly [address: string, config: string]>}
 */
export async function startSshServer(lab, host) {
  const directory = join(lab.directory, 'ssh');
  await mkdir(directory);
  const pathIn = (/** @type {string} */ name) => join(directory, name);
  const [key, server, client] = [pathIn('key'), pathIn('server'), pathIn('client')];
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const trust = [`HostKey ${key}`, `AuthorizedKeysFile ${key}.pub`, 'StrictModes no'];
  const address = `ListenAddress ${host.address}`;
  await writeFile(server, [...trust, address, 'PidFile none', ''].join('\n'));
  const known = ['StrictHostKeyChecking no', 'UserKnownHostsFile /dev/null', 'LogLevel ERROR'];
  await writeFile(client, [`IdentityFile ${key}`, ...known, ''].join('\n'));
  await host.run('mkdir', ['-p', '/run/sshd']);
  host.spawn('/usr/sbin/sshd', ['-D', '-e', '-f', server], { stdio: 'ignore' });
  const answers = () => host.run('ssh', ['-F', client, host.address, 'true']);
  await until(
    () =>
      answers().then(
        () => true,
        () => false,
      ),
    'the SSH server answers',
  );
  return [host.address, client];
}

/**
 * Migrates a process with go-criu's phaul, as scripts/bench/peers/phaul.go does; resolves with the
 * size of all images in bytes.
 * @param {Lab} lab
 * @param {number} pid
 * @param {Host} from
 * @param {Host} to
 * @returns {Promise<number>}
 */
export async function migrateByPhaul(lab, pid, from, to) {
  const program = pathOf('../../.cache/bench/peers/phaul');
  const env = { ...process.env, PATH: `${dirname(criuPath())}:${process.env.PATH}` };
  const here = join(lab.directory, `phaul-${from.name}`);
  const there = join(lab.directory, `phaul-${to.name}`);
  await Promise.all([here, there].map((directory) => mkdir(directory)));
  const way = [`${to.address}:7777`, lab.serviceAddress];
  const server = to.spawn(program, ['server', ...way, there], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(server, 'exit');
  const stdout = /** @type {Readable} */ (server.stdout);
  await Promise.race([once(stdout.resume(), 'data'), exited]);
  await from.run(program, ['client', ...way, here, String(pid)], { env });
  await exited;
  const sizes = await to.run('find', [there, '-name', '*.img', '-printf', '%s\n']);
  return sizes.split('\n').reduce((sum, size) => sum + Number(size), 0);
}

/**
 * @param {() => Promise<boolean>} condition
 * @param {string} what
 */
export async function until(condition, what) {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(5)) {
    if (await condition()) return;
  }
  throw new Error(`waited 60 s in vain: ${what}`);
}
