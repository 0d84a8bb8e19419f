// Containers of runc in the hosts of the lab: each has a bundle for the server on both hosts, with a root file
// system of its own, and moves with its network.
//
// @ts-check
/** @import { MigrateOptions, MigrationEvent, MigrationResult } from '../../src/index.ts' */
/** @import { Host, Lab } from './hosts.mjs' */
/** @import { Agent, Client, ServerOptions } from './programs.mjs' */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rmdir, symlink, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { certificates } from './certificates.mjs';
import { DUMP } from './migration.mjs';
import { nodeServer, startAgent, startClient, until } from './programs.mjs';

/** The addresses of the container, on the network of the hosts. */
export const ADDRESS = '10.77.0.50';
const ADDRESS_V6 = 'fd77::50';
const ID = 'web';
const CGROUPS = '/sys/fs/cgroup';
const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** The linux.seccomp of a bundle that refuses io_uring, which Node 22 and newer open and CRIU cannot dump. */
export const WITHOUT_IO_URING = {
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [
    { names: ['io_uring_setup'], action: 'SCMP_ACT_ERRNO', errnoRet: constants.errno.ENOSYS },
  ],
};

/** How a container is connected: by a macvlan on eth0 of its host, or by a veth to a bridge that has eth0. */
/** @typedef {'macvlan' | 'veth'} Connection */

/**
 * A container on host a, and what is needed to migrate it.
 * @typedef {object} ContainerScene
 * @property {Readonly<Record<'a' | 'b', Agent>>} agents by the names of their hosts
 * @property {Readonly<Record<'a' | 'b', { ca: string, cert: string, key: string }>>} tls by host
 * @property {Client} client
 * @property {Connection} connection
 * @property {string} id of the container
 */

/**
 * Starts the agents, the container with the server, and the client; resolves when answers arrive.
 * @param {Lab} lab
 * @param {{ connection?: Connection, isV6?: boolean } & ServerOptions} [options] `isV6`: how the client connects
 * @returns {Promise<ContainerScene>}
 */
export async function startContainerScene(
  lab,
  { connection = 'veth', isV6 = false, ...server } = {},
) {
  const [a, b] = await Promise.all([startAgent(lab.a), startAgent(lab.b)]);
  const tls = certificates(lab.directory, [lab.a, lab.b]);
  if (connection === 'veth') for (const host of [lab.a, lab.b]) await makeBridge(host);
  await startContainer(lab, connection, server);
  const client = await startClient(lab, isV6 ? ADDRESS_V6 : ADDRESS);
  const answers = () =>
    client.ask('get', { path: '/state' }).then(
      () => true,
      () => false,
    );
  await until(answers, 'the server in the container answers');
  await client.measure();
  return { agents: { a, b }, tls, client, connection, id: ID };
}

/**
 * Starts the container on host a; all hosts have a bundle for it. Resolves with its id.
 * @param {Lab} lab
 * @param {Connection} connection
 * @param {ServerOptions} [server]
 */
export async function startContainer(lab, connection, server = {}) {
  for (const host of lab.hosts) await makeBundle(lab, host, { host: '::', ...server });
  await runContainer(lab, lab.a, ID, connection);
  return ID;
}

/**
 * Migrates the container from one host to the other, from a to b by default; resolves with the result, the time of day at which each phase began, in
 * ms, and the events of the migration.
 * @param {Lab} lab
 * @param {ContainerScene} scene
 * @param {Partial<MigrateOptions>} [options]
 * @param {{ readonly from: Host, readonly to: Host }} [hosts]
 * @returns {Promise<{ result: MigrationResult, phases: readonly (readonly [string, number])[] }>}
 */
export async function migrateContainer(
  lab,
  { agents, tls, connection, id },
  { hooks, ...options } = {},
  { from, to } = { from: lab.a, to: lab.b },
) {
  const [here, there] = [agents[from.name], agents[to.name]];
  const port = await there.ask('serveContainers', {
    listen: { host: to.address, port: 0 },
    tls: tls[to.name],
    directory: join(lab.directory, to.name),
    place: {
      bundle: bundleOf(lab, to),
      network: { eth0: connection === 'veth' ? { bridge: 'br0' } : { parent: 'eth0' } },
    },
  });
  /** @type {[string, number][]} */
  const phases = [];
  here.on('phase', async (phase) => {
    phases.push([phase, Date.now()]);
    await hooks?.phase?.(phase);
  });
  here.on('event', () => {});
  const result = await here.ask('migrateContainer', {
    id,
    to: { host: to.address, port },
    tls: tls[from.name],
    directory: join(lab.directory, from.name),
    dump: DUMP,
    ...options,
  });
  return { result, phases };
}

/**
 * What runc on a host says about its containers.
 * @param {Host} host
 * @returns {Promise<{ id: string, pid: number, status: string }[]>}
 */
export async function listContainers(host) {
  return JSON.parse(await host.run('runc', ['list', '--format', 'json'])) ?? [];
}

/**
 * Removes the cgroups of the containers of a lab, which has been closed.
 * @param {string} directory of the lab
 */
export async function removeCgroups(directory) {
  for (const controller of await readdir(CGROUPS)) {
    for (const name of ['a', 'b', 'c', 'd']) {
      const cgroup = join(CGROUPS, controller, cgroupsPathOf(directory, name));
      if (existsSync(cgroup)) await rmdir(cgroup);
    }
  }
}

/**
 * The directory of the bundles of a host, each under the id of its container.
 * @param {Lab} lab
 * @param {Host} host
 */
export function bundlesOf(lab, host) {
  return join(lab.directory, `bundles-${host.name}`);
}

/** @param {Lab} lab @param {Host} host */
function bundleOf(lab, host) {
  return join(bundlesOf(lab, host), ID);
}

/**
 * Both hosts have the cgroups of this machine.
 * @param {string} directory of the lab
 * @param {string} host
 */
function cgroupsPathOf(directory, host) {
  return `/${basename(directory)}-${host}`;
}

/**
 * @param {Lab} lab
 * @param {Host} host
 * @param {ServerOptions} server
 */
async function makeBundle(lab, host, server) {
  const bundle = bundleOf(lab, host);
  const rootfs = join(bundle, 'rootfs');
  for (const name of ['bin', 'dev', 'proc', 'sys', 'tmp', 'usr']) {
    await mkdir(join(rootfs, name), { recursive: true });
  }
  await copyFile('/bin/busybox', join(rootfs, 'bin/busybox'));
  for (const name of ['lib', 'lib64']) await symlink(`usr/${name}`, join(rootfs, name));
  execFileSync('runc', ['spec', '--bundle', bundle]);
  const file = join(bundle, 'config.json');
  const config = JSON.parse(await readFile(file, 'utf8'));
  const { file: program, args } = nodeServer(server);
  Object.assign(config.process, { terminal: false, args: [program, ...args] });
  config.root.readonly = false;
  config.linux.cgroupsPath = cgroupsPathOf(lab.directory, host.name);
  config.linux.seccomp = WITHOUT_IO_URING;
  // The programs are those of this machine.
  for (const path of ['/usr', PROJECT]) {
    config.mounts.push({ destination: path, type: 'bind', source: path, options: ['rbind', 'ro'] });
  }
  await writeFile(file, JSON.stringify(config));
}

/** Gives a host a bridge, with eth0 and its address. @param {Host} host */
async function makeBridge(host) {
  await host.ip(
    'link add name br0 type bridge',
    'address flush dev eth0',
    'link set dev eth0 master br0',
    `address add ${host.address}/24 dev br0`,
    'link set dev br0 up',
  );
}

/**
 * @param {Lab} lab
 * @param {Host} host
 * @param {string} id
 * @param {Connection} connection
 */
async function runContainer(lab, host, id, connection) {
  const log = join(lab.directory, 'runc.log');
  const create = `runc --log ${log} create --bundle "$1" "$2" < /dev/null > /dev/null 2>&1`;
  await host.run('sh', ['-ec', create, 'sh', bundleOf(lab, host), id]);
  const [container] = await listContainers(host);
  const pid = container?.pid;
  await host.ip(
    ...(connection === 'veth'
      ? [
          `link add name web0 type veth peer name eth0 netns ${pid}`,
          'link set dev web0 master br0 up',
        ]
      : [`link add link eth0 name eth0 netns ${pid} type macvlan mode bridge`]),
  );
  const script = [
    `ip address add ${ADDRESS}/24 dev eth0`,
    `ip address add ${ADDRESS_V6}/64 dev eth0 nodad`,
    'ip link set eth0 up',
    'ip link set lo up',
    'ip route add default via 10.77.0.1',
    'ip -6 route add default via fd77::1 metric 5',
  ].join('\n');
  await host.run('nsenter', [`--net=/proc/${pid}/ns/net`, 'sh', '-ec', script]);
  await host.run('runc', ['start', id]);
}
