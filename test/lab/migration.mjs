// A migration in the lab: the server on host a, the client that measures, and the way to host b.
//
// @ts-check
/** @import { MigrateOptions, MigrationEvent, MigrationResult } from '../../src/index.ts' */
/** @import { Host, Lab } from './hosts.mjs' */
/** @import { Agent, Client } from './programs.mjs' */
import { join } from 'node:path';
import { certificates } from './certificates.mjs';
import { startAgent, startClient, startServer } from './programs.mjs';

/** Options for the dump of the server: it has a connection, and the hosts have no iptables. */
export const DUMP = /** @type {const} */ ({ tcpEstablished: true, networkLock: 'nftables' });

/**
 * A server on host a, and what is needed to migrate it.
 * @typedef {object} Scene
 * @property {Agent} here
 * @property {Agent} there
 * @property {Readonly<Record<'a' | 'b', Agent>>} agents the same by the names of their hosts
 * @property {Readonly<Record<'a' | 'b', { ca: string, cert: string, key: string }>>} tls by host
 * @property {number} pid of the server, on both hosts
 * @property {Client} client
 */

/**
 * Starts the agents, the server and the client; resolves when answers arrive.
 * @param {Lab} lab
 * @param {Parameters<typeof startServer>[2] & { patient?: boolean, probes?: boolean }} [options]
 * @returns {Promise<Scene>}
 */
export async function startScene(lab, { patient, probes, ...options } = {}) {
  const [here, there] = await Promise.all([startAgent(lab.a), startAgent(lab.b)]);
  const tls = certificates(lab.directory, [lab.a, lab.b]);
  const pid = await startServer(lab, here, options);
  const client = await startClient(lab, options.host);
  await client.measure({ patient, probes });
  return { here, there, agents: { a: here, b: there }, tls, pid, client };
}

/**
 * Migrates the server with the service's addresses, from host a to host b by default; resolves with the result, the time of day at
 * which each phase began, in ms, and the events of the migration.
 * @param {Lab} lab
 * @param {Pick<Scene, 'agents' | 'tls' | 'pid'>} scene
 * @param {Partial<MigrateOptions>} [options]
 * @param {{ readonly from: Host, readonly to: Host }} [hosts]
 * @returns {Promise<{ result: MigrationResult, phases: readonly (readonly [string, number])[], events: readonly MigrationEvent[] }>}
 */
export async function migrateIt(
  lab,
  { agents, tls, pid },
  { hooks, ...options } = {},
  { from, to } = { from: lab.a, to: lab.b },
) {
  const here = agents[from.name];
  const there = agents[to.name];
  const port = await there.ask('serve', {
    listen: { host: to.address, port: 0 },
    tls: tls[to.name],
    directory: join(lab.directory, to.name),
    allowAddresses: ['10.77.0.0/24', 'fd77::/64'],
    ...(options.stallMs && { stallMs: options.stallMs }),
  });
  /** @type {[string, number][]} */
  const phases = [];
  here.on('phase', async (phase) => {
    phases.push([phase, Date.now()]);
    await hooks?.phase?.(phase);
  });
  /** @type {MigrationEvent[]} */
  const events = [];
  here.on('event', (event) => void events.push(event));
  const result = await here.ask('migrate', {
    pid,
    to: { host: to.address, port },
    tls: tls[from.name],
    directory: join(lab.directory, from.name),
    dump: DUMP,
    addresses: [`${lab.serviceAddress}/32`],
    ...options,
  });
  return { result, phases, events };
}
