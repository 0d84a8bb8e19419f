import { beforeAll, expect, test } from 'vitest';
import { criuPath } from '../../scripts/criu-path.mjs';
import { migrate } from '../../src/index.ts';
import { allowLargePipes } from '../helpers/large-pipes.ts';
import { MigrationHost } from '../helpers/migration-host.ts';
import { Witness } from '../helpers/witness.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

beforeAll(allowLargePipes);

/** Where a host is, and how to get in. */
const to = (host: MigrationHost) => ({
  to: { host: '127.0.0.1', port: host.ports[0] },
  insecure: true,
});

test.each(['stop-and-copy', 'post-copy'] as const)(
  '%s: a hook that throws at every state is in the way of none',
  async (mode) => {
    const witness = await Witness.start(8);
    const host = await MigrationHost.start({ insecure: true, hookThrows: true });
    const directory = await temporaryDirectory();
    await migrate(witness.pid, { ...to(host), mode, directory, path: criuPath() }).result;
    expect(await witness.alone()).not.toBe(witness.pid);
    await witness.verify();
    const stays = await witness.stays();
    expect(stays.map(({ here }) => here)).toEqual([true, false]);
  },
);
