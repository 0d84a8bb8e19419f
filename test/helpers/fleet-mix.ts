import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { JoinOptions } from '../../src/fleet.ts';
import { ADDRESS, bundlesOf, listContainers, startContainer } from '../lab/containers.mjs';
import type { Host, Lab } from '../lab/hosts.mjs';
import { type Client, SteadyClient, startClient } from '../lab/programs.mjs';
import { fleetScene, type LabFleet, startWeb } from './fleet-lab.ts';
import { removeCgroupsAfterLab } from './lab.ts';
import { client as criuClient, waitFor } from './workload.ts';

/** How many workloads of each kind there are. */
export interface Mix {
  readonly node: number;
  readonly redis: number;
  readonly nginx: number;
}

/** A workload, with a client that keeps its connection unless it serves nobody. */
export interface MixedWorkload {
  readonly name: string;
  /** Checks that its client, if it has one, has missed nothing, that its memory is right, and that it runs on this host alone. */
  check(host: string): Promise<void>;
}

/** A fleet whose host a has workloads of all kinds, a container and a copy of a template among them. */
export interface MixedFleet extends LabFleet {
  readonly workloads: readonly MixedWorkload[];
}

/** Starts four hosts, with all workloads on host a. */
export async function mixedFleet(mix: Mix): Promise<MixedFleet> {
  const hasStarted = removeCgroupsAfterLab();
  const scene = await fleetScene(4, takesContainers);
  hasStarted(scene.lab);
  const workloads: MixedWorkload[] = [];
  let next = 0;
  for (let each = 0; each < mix.node; each++) workloads.push(await startWeb(scene, next++));
  for (let each = 0; each < mix.redis; each++) workloads.push(await startRedis(scene, next++));
  for (let each = 0; each < mix.nginx; each++) workloads.push(await startNginx(scene, next++));
  workloads.push(await startBox(scene), await startCopy(scene));
  return { ...scene, workloads };
}

/** Options of an agent that takes containers. */
export function takesContainers(host: Host, lab: Lab): Partial<JoinOptions> {
  return { containers: { bundles: bundlesOf(lab, host), network: { eth0: { parent: 'eth0' } } } };
}

interface Server {
  readonly name: string;
  readonly command: readonly string[];
  readonly address: string;
  readonly port: number;
  readonly protocol: 'redis' | 'http';
  /** What only the command line of its root process has. */
  readonly mark: string;
}

async function startRedis(scene: LabFleet, index: number): Promise<MixedWorkload> {
  const address = `10.77.0.${100 + index}`;
  const flags = ['--protected-mode', 'no', '--save', '', '--appendonly', 'no'];
  return await startServer(scene, {
    ...{ name: `redis-${index}`, address, port: 6379, protocol: 'redis' },
    command: ['redis-server', '--bind', address, ...flags],
    mark: `redis-server ${address}:`,
  });
}

async function startNginx(scene: LabFleet, index: number): Promise<MixedWorkload> {
  const address = `10.77.0.${100 + index}`;
  const { directory } = scene.lab;
  const file = join(directory, `nginx-${index}.conf`);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const paths = temporary.map((each) => `${each}_temp_path ${directory}/nginx-${each};`).join(' ');
  await writeFile(
    file,
    `daemon off; user root; worker_processes 2; pid ${file}.pid; error_log /dev/null;
    events {} http { access_log off; ${paths} keepalive_timeout 1h; keepalive_requests 100000000;
    server { listen ${address}:80; location / { return 200 "served\\n"; } } }`,
  );
  return await startServer(scene, {
    ...{ name: `nginx-${index}`, address, port: 80, protocol: 'http' },
    command: ['/usr/sbin/nginx', '-c', file],
    mark: `nginx: master process /usr/sbin/nginx -c ${file}`,
  });
}

async function startServer(scene: LabFleet, server: Server): Promise<MixedWorkload> {
  const { lab, fleet } = scene;
  const { name, command, address, port, protocol, mark } = server;
  const output = join(lab.directory, `${name}.log`);
  await writeFile(output, '');
  const operation = await fleet.run(
    {
      ...{ name, command, output, addresses: [`${address}/32`] },
      dump: { networkLock: 'nftables' },
    },
    { on: 'a' },
  );
  await operation.result();
  const client = await new SteadyClient(lab, address, port, protocol).started;
  await client.answersOn().catch(async (cause) => {
    const { faults } = await client.ask<{ faults: string[] }>('stop');
    const log = await readFile(output, 'utf8');
    throw new Error(`${name} does not answer: ${faults.join()} ${log}`, { cause });
  });
  return {
    name,
    async check(host) {
      await client.answersOn();
      expect(await client.ask('stop')).toMatchObject({ faults: [] });
      expect(await hostsWith(lab, mark)).toEqual([host]);
    },
  };
}

/** The hosts on which a process runs whose command line has a text. */
async function hostsWith(lab: Lab, text: string): Promise<string[]> {
  const found: string[] = [];
  for (const host of lab.hosts) {
    const lines = (await host.run('ps', ['-eo', 'stat=,args='])).split('\n');
    const alive = lines.filter((line) => !line.startsWith('Z') && line.includes(text));
    found.push(...alive.map(() => host.name));
  }
  return found;
}

async function startBox({ lab, fleet }: LabFleet): Promise<MixedWorkload> {
  const id = await startContainer(lab, 'macvlan', { heap: 8 });
  await (await fleet.run({ name: 'box', container: id }, { on: 'a' })).result();
  const client: Client = await startClient(lab, ADDRESS);
  await waitFor(
    () => client.ask('get', { path: '/state' }).then(Boolean, () => false),
    'the server in the container answers',
  );
  await client.measure();
  return {
    name: 'box',
    async check(host) {
      await client.answersOn();
      expect(await client.ask('stop')).toMatchObject({ connections: 1, faults: [] });
      expect(await client.ask('get', { path: '/verify' })).toMatchObject({ ok: true });
      const lists = await Promise.all(lab.hosts.map(async (each) => await listContainers(each)));
      const hosts = lab.hosts.filter((_, index) => lists[index]?.length).map(({ name }) => name);
      expect(hosts).toEqual([host]);
    },
  };
}

async function startCopy({ lab, fleet }: LabFleet): Promise<MixedWorkload> {
  const imagesDirectory = join(lab.directory, 'template');
  const script = `echo up; while sleep 1; do : ${imagesDirectory}; done`;
  await criuClient().template('sh', ['-c', script], {
    ...{ imagesDirectory, ready: { line: 'up' } },
  });
  await (await fleet.run({ name: 'copy', template: imagesDirectory }, { on: 'a' })).result();
  return {
    name: 'copy',
    async check(host) {
      // Only the command line of its init has both.
      expect(await hostsWith(lab, `sh sh -c ${script}`)).toEqual([host]);
    },
  };
}
