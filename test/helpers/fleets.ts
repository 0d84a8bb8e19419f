import { generateKeyPairSync } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { Fleet, type FleetMember, type JoinOptions } from '../../src/fleet.ts';
import { type FleetRedis, fleetRedis } from './fleet-redis.ts';
import { client, temporaryDirectory } from './workload.ts';

/** The keys of an operator in PEM. */
export function operatorKeys(): { readonly publicKey: string; readonly privateKey: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    publicKey: String(publicKey.export({ type: 'spki', format: 'pem' })),
    privateKey: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  };
}

/** A fleet whose hosts are agents in this process, on loopback. */
export interface LocalFleet {
  readonly redis: FleetRedis;
  /** That of the operator ada. */
  readonly fleet: Fleet;
  readonly keys: ReturnType<typeof operatorKeys>;
  /** Starts an agent, by default in a directory of its own. */
  join(options: Partial<JoinOptions> & { readonly name: string }): Promise<FleetMember>;
  /** What the agents have warned of. */
  readonly warnings: readonly string[];
}

/** Starts a Redis and connects an operator. @param given a Redis that runs */
export async function localFleet(given?: FleetRedis): Promise<LocalFleet> {
  const redis = given ?? (await fleetRedis());
  const keys = operatorKeys();
  const { privateKey } = keys;
  const connect = async (operator: boolean) => {
    const identity = operator && { operator: { name: 'ada', privateKey } };
    const fleet = await Fleet.connect({ redis: redis.options, name: 'test', ...identity });
    onTestFinished(() => fleet.close());
    return fleet;
  };
  const fleet = await connect(true);
  const warnings: string[] = [];
  return {
    ...{ redis, fleet, keys, warnings },
    async join(options) {
      const own = await connect(false);
      const member = await own.join({
        listen: { host: '127.0.0.1', port: 0 },
        insecure: true,
        directory: await temporaryDirectory(),
        operators: [{ name: 'ada', publicKey: keys.publicKey }],
        heartbeatMs: 1000,
        criu: client(),
        hooks: { warning: ({ message }) => void warnings.push(message) },
        ...options,
      });
      onTestFinished(() => member.close());
      return member;
    },
  };
}
