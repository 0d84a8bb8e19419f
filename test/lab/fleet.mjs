// A fleet in the lab: a Redis, and an agent on each host.
//
// @ts-check
/** @import { Fleet, JoinOptions, ProgramWorkload } from '../../src/fleet.ts' */
/** @import { Host, Lab } from './hosts.mjs' */
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { criuPath } from '../../scripts/criu-path.mjs';
import { certificates } from './certificates.mjs';
import { nodeServer, Program, startClient, until } from './programs.mjs';

const FLEET = 'lab';
const agentFile = fileURLToPath(new URL('fleet-agent.mjs', import.meta.url));

/** The agent of a host; test/lab/fleet-agent.mjs has the tasks. */
export class FleetAgent extends Program {
  /** @param {Host<string>} host */
  constructor(host) {
    super(host, [agentFile, criuPath()]);
  }
}

/** A Redis with an append-only file, which this process can stop and start again. */
export class LabRedis {
  #directory;
  #flags;
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #server;

  /**
   * @param {string} directory
   * @param {readonly string[]} [flags] more flags of redis-server
   */
  constructor(directory, flags = []) {
    this.#directory = directory;
    this.#flags = flags;
    /** Where it listens: a unix socket, which all hosts see. */
    this.path = join(directory, 'redis.sock');
  }

  async start() {
    const files = ['--dir', this.#directory, '--appendonly', 'yes', '--save', ''];
    const args = ['--port', '0', '--unixsocket', this.path, ...files, ...this.#flags];
    this.#server = spawn('redis-server', args, { stdio: 'ignore' });
    while (!existsSync(this.path)) await sleep(5);
  }

  /** @param {NodeJS.Signals} [signal] */
  async stop(signal = 'SIGTERM') {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    const ended = once(server, 'exit');
    server.kill(signal);
    await ended;
  }
}

/**
 * A fleet with an agent on each host of a lab.
 * @typedef {object} FleetScene
 * @property {LabRedis} redis
 * @property {{ redis: { path: string }, name: string, operator: { name: string, privateKey: string } }} connection
 *   with which an operator connects
 * @property {readonly FleetAgent[]} agents in the order of the hosts
 * @property {(index: number) => Promise<void>} startAgent starts the agent of a host again
 */

/**
 * Starts a Redis, and an agent on each host.
 * @param {Lab} lab
 * @param {Partial<JoinOptions> | ((host: Host, lab: Lab) => Partial<JoinOptions>)} [options] of all agents, or of each
 * @returns {Promise<FleetScene>}
 */
export async function startFleet(lab, options = {}) {
  const redis = new LabRedis(lab.directory);
  await redis.start();
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const pem = {
    publicKey: String(publicKey.export({ type: 'spki', format: 'pem' })),
    privateKey: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  };
  const tls = /** @type {Record<string, { ca: string, cert: string, key: string }>} */ (
    certificates(lab.directory, lab.hosts)
  );
  /** @type {FleetAgent[]} */
  const agents = [];
  /** @param {number} index */
  const startAgent = async (index) => {
    const host = /** @type {Host} */ (lab.hosts[index]);
    const agent = await new FleetAgent(host).started;
    agents[index] = agent;
    await agent.ask('join', {
      redis: { path: redis.path },
      fleet: FLEET,
      name: host.name,
      listen: { host: host.address, port: 7007, pagePort: 7008 },
      tls: tls[host.name],
      directory: join(lab.directory, host.name),
      operators: [{ name: 'ada', publicKey: pem.publicKey }],
      allowAddresses: ['10.77.0.0/24', 'fd77::/64'],
      heartbeatMs: 1000,
      ...(typeof options === 'function' ? options(host, lab) : options),
    });
  };
  await Promise.all(lab.hosts.map((_, index) => startAgent(index)));
  const operator = { name: 'ada', privateKey: pem.privateKey };
  const connection = { redis: { path: redis.path }, name: FLEET, operator };
  return { redis, connection, agents, startAgent };
}

/**
 * Starts a server with an address of its own on host a, and a client that keeps one connection to it.
 * @param {Lab} lab
 * @param {Fleet} fleet
 * @param {number} index which tells the servers apart; the first has the service address of the lab
 * @param {Partial<ProgramWorkload> & { heap?: number }} [options] `heap` is in MiB
 */
export async function startService(lab, fleet, index, { heap = 8, ...more } = {}) {
  const name = `web-${index}`;
  const address = `10.77.0.${100 + index}`;
  const output = join(lab.directory, `${name}.log`);
  const { file, args } = nodeServer({ heap, host: address });
  const operation = await fleet.run(
    {
      ...{ name, command: [file, ...args], output, addresses: [`${address}/32`] },
      dump: { networkLock: 'nftables' },
      ...more,
    },
    { on: 'a' },
  );
  await operation.result();
  await until(async () => (await readFile(output, 'utf8')).includes('ready'), `${name} is ready`);
  const client = await startClient(lab, address);
  await client.measure();
  return { name, address, client };
}
