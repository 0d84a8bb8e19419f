import { expect, onTestFinished } from 'vitest';
import { Fleet } from '../../src/fleet.ts';
import { type FleetScene, startFleet, startService } from '../lab/fleet.mjs';
import type { Lab } from '../lab/hosts.mjs';
import { startLab } from './lab.ts';

/** A fleet in a lab, and an operator. */
export interface LabFleet extends FleetScene {
  readonly lab: Lab;
  readonly fleet: Fleet;
}

/** Starts a lab with an agent on each host, a Redis and an operator, which end with the test. */
export async function fleetScene(
  hosts: number,
  options: Parameters<typeof startFleet>[1] = {},
): Promise<LabFleet> {
  const lab = await startLab(hosts);
  const scene = await startFleet(lab, options);
  onTestFinished(() => scene.redis.stop());
  const fleet = await Fleet.connect(scene.connection);
  onTestFinished(() => fleet.close());
  return { ...scene, lab, fleet };
}

/** A server of the fleet, and a client that keeps one connection to it. */
export interface WebWorkload {
  readonly name: string;
  readonly address: string;
  /** Checks that no answer was lost, that the memory is right, and that the server runs on this host alone. */
  check(host: string): Promise<void>;
}

/** Starts a server with an address of its own on host a. */
export async function startWeb(
  { lab, fleet }: LabFleet,
  index: number,
  options: Parameters<typeof startService>[3] = {},
): Promise<WebWorkload> {
  const { name, address, client } = await startService(lab, fleet, index, options);
  return {
    ...{ name, address },
    async check(host) {
      await client.answersOn();
      expect(await client.ask('stop')).toMatchObject({ connections: 1, faults: [] });
      expect(await client.ask('get', { path: '/verify' })).toMatchObject({ ok: true });
      expect(await hostsOf(lab, address)).toEqual([host]);
    },
  };
}

/** The hosts on which a server with this address runs. */
async function hostsOf(lab: Lab, address: string): Promise<string[]> {
  const counted = await Promise.all(
    lab.hosts.map(async (host) => {
      const all = await host.run('ps', ['-eo', 'stat=,args=']);
      const own = all
        .split('\n')
        .filter((line) => !line.startsWith('Z') && line.includes(` ${address}`));
      return own.map(() => String(host.name));
    }),
  );
  return counted.flat();
}
