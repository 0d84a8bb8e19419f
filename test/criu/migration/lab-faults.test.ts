// Faults while a client is connected: the client sees only a pause, and no rule of CRIU's network
// lock is left on either host.
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { MigrationPhase, MigrationResolution } from '../../../src/index.ts';
import { journalsIn } from '../../../src/migration/journal/journal.ts';
import { buildLibrary } from '../../helpers/built.ts';
import { startLab } from '../../helpers/lab.ts';
import { criuBeside } from '../../helpers/migration-host.ts';
import { rulesIn } from '../../helpers/network-rules.ts';
import { noteFault } from '../../helpers/reliability.ts';
import { oneIn, sample } from '../../helpers/sample.ts';
import type { Lab } from '../../lab/hosts.mjs';
import { migrateIt, type Scene, startScene } from '../../lab/migration.mjs';
import { type Report, startAgent } from '../../lab/programs.mjs';

beforeAll(buildLibrary);

const faults = {
  'hook throws': () => {
    throw new Error('the hook has thrown');
  },
  cancelled: (_lab: Lab, { here }: Scene) => void here.ask('cancel').catch(() => {}),
  'criu of the source killed': async (lab: Lab) => {
    for (const pid of await criuBeside(lab.a.init)) process.kill(pid, 'SIGKILL');
  },
  'agent of the source killed': (_lab: Lab, { here }: Scene) => here.kill(),
  'agent and criu of the source killed': async (lab: Lab, { here }: Scene) => {
    const agent = (await lab.a.outside(here.pid)) as number;
    for (const pid of [...(await criuBeside(lab.a.init)), agent]) process.kill(pid, 'SIGKILL');
    await here.exited;
  },
  'agent of the destination killed': (_lab: Lab, { there }: Scene) => there.kill(),
  'packets lost': async (lab: Lab) => {
    await lab.b.stall();
  },
};

type Fault = keyof typeof faults;

const eager: [Fault, MigrationPhase[]][] = [
  ['hook throws', ['images', 'hand-over']],
  ['cancelled', ['images', 'prepare', 'switch-over']],
  ['criu of the source killed', ['images', 'prepare']],
  ['agent of the source killed', ['images', 'switch-over', 'hand-over']],
  ['agent and criu of the source killed', ['images', 'prepare']],
  ['agent of the destination killed', ['images', 'switch-over']],
  ['packets lost', ['dump', 'prepare']],
];
const lazy: [Fault, MigrationPhase[]][] = [
  ['hook throws', ['hand-over']],
  ['cancelled', ['prepare']],
  ['criu of the source killed', ['prepare']],
  ['agent of the source killed', ['images']],
  ['agent and criu of the source killed', ['prepare']],
  ['agent of the destination killed', ['switch-over']],
  ['packets lost', ['images']],
];

const casesOf = (mode: 'stop-and-copy' | 'post-copy', given: typeof eager, first: number) => {
  const rows = oneIn(7, `faults with a client connected in ${mode}`, given, first);
  return rows.flatMap(([fault, phases]) => {
    const what = `phases with a client connected in ${mode}: ${fault}`;
    return phases.slice(0, sample(what, phases.length, 1)).map((phase) => ({ mode, fault, phase }));
  });
};

test.each([...casesOf('stop-and-copy', eager, 4), ...casesOf('post-copy', lazy, 6)])(
  '$mode, $fault at $phase: the client stays connected, and no rule is left',
  async ({ mode, fault, phase }) => {
    const lab = await startLab();
    // Between the death of criu and the clean-up the server may run, and get an EPERM that ends it. Its
    // connection is in repair mode then, and is gone without a packet to the client.
    const mayBreak = fault.includes('criu of the source killed');
    const scene = await startScene(lab, { heap: 8, probes: mayBreak });
    let struck = 0;
    const failed = await migrateIt(lab, scene, {
      ...{ mode, stallMs: 2500 },
      hooks: {
        phase: async (now) => {
          if (now === phase && struck++ === 0) await faults[fault](lab, scene);
        },
      },
    }).then(
      () => undefined,
      (error: Error & { facts?: { code?: string; workload?: string } }) => error,
    );
    expect(struck).toBe(1);
    expect(failed).toBeDefined();
    await lab.b.unstall();

    const directory = join(lab.directory, 'a');
    const [id] = await journalsIn(join(directory, 'outgoing'));
    let resolved: MigrationResolution | undefined;
    if (fault.startsWith('agent') && fault.includes('source')) {
      const agent = await startAgent(lab.a);
      const options = { id, directory, tls: scene.tls.a };
      resolved = await agent.ask<MigrationResolution>('resolve', options);
      expect(resolved).toMatchObject({ owner: 'source', workload: 'running', reachable: true });
    } else {
      expect(failed?.facts).toMatchObject({ workload: 'running' });
    }
    await scene.client.answersOn();
    const report = await scene.client.ask<Report>('stop');
    if (!mayBreak) expect(report).toMatchObject({ connections: 1, faults: [] });
    expect(await lab.a.outside(scene.pid)).toBeDefined();
    await expectNoRules(lab);
    await noteFault('migration', {
      fault: `${mode}, with a connection: ${fault} at ${phase}`,
      error: failed?.facts?.code ?? 'none: the caller is gone',
      workload: `the original runs on${resolved ? ', after resolveMigration' : ''}`,
      left: mayBreak ? 'perhaps a connection that is reset: see Dump' : 'nothing',
    });
  },
  60_000,
);

test('stop-and-copy, criu of the source killed at hand-over: the copy takes over the connection', async () => {
  const lab = await startLab();
  const scene = await startScene(lab, { heap: 8 });
  const phase = async (now: MigrationPhase) => {
    if (now === 'hand-over') await faults['criu of the source killed'](lab);
  };
  const { result } = await migrateIt(lab, scene, { mode: 'stop-and-copy', hooks: { phase } });
  expect(result).toMatchObject({ leftovers: [] });
  await scene.client.answersOn();
  expect(await scene.client.ask<Report>('stop')).toMatchObject({ connections: 1, faults: [] });
  expect(await lab.a.outside(scene.pid)).toBeUndefined();
  await expectNoRules(lab);
});

async function expectNoRules({ a, b }: Lab): Promise<void> {
  for (const host of [a, b]) {
    expect(await rulesIn(`/proc/${host.init}/ns/net`), host.name).toEqual([]);
  }
}
