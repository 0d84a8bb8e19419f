import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { type LocalFleet, localFleet } from '../../helpers/fleets.ts';
import { waitFor } from '../../helpers/workload.ts';

/** Starts programs on host a that differ by an argument; resolves with a function that counts how often each runs. */
async function startSleepers({ fleet }: LocalFleet, names: readonly string[]) {
  const marker = randomUUID();
  for (const name of names) {
    const script = `while :; do sleep 1; done # ${marker}-${name}`;
    const spec = { name, command: ['sh', '-c', script] };
    await (await fleet.run(spec, { on: 'a' })).result();
  }
  return () => {
    const all = execFileSync('ps', ['-eo', 'stat=,args='], { encoding: 'utf8' }).split('\n');
    const alive = all.filter((line) => !line.startsWith('Z'));
    return names.map((name) => alive.filter((line) => line.includes(`${marker}-${name}`)).length);
  };
}

test('a drain that is cancelled leaves what has not moved where it is, and undrain opens the host again', async () => {
  const local = await localFleet();
  const { fleet } = local;
  const names = ['one', 'two', 'three', 'four'];
  await local.join({ name: 'a', limits: { outgoing: 1 } });
  const counts = await startSleepers(local, names);
  await local.join({ name: 'b' });
  const drain = await fleet.drain('a');
  const someMoved = async () => (await drain.view()).steps.some(({ state }) => state === 'done');
  await waitFor(someMoved, 'a step is done');
  await drain.cancel();
  const { state, steps } = await drain.ended();
  const moved = steps.filter((step) => step.state === 'done').map(({ workload }) => workload);
  expect(state).toBe('cancelled');
  expect(moved.length).toBeLessThan(names.length);
  const where = Object.fromEntries((await fleet.workloads()).map(({ name, host }) => [name, host]));
  expect(where).toEqual(
    Object.fromEntries(names.map((name) => [name, moved.includes(name) ? 'b' : 'a'])),
  );
  expect(counts()).toEqual(names.map(() => 1));
  expect((await fleet.hosts())[0]).toMatchObject({ name: 'a', state: 'draining' });
  await fleet.undrain('a');
  expect((await fleet.hosts())[0]).toMatchObject({ name: 'a', state: 'ready' });
});

test('hosts that are busy are tried again, a limit of the fleet holds, and undrain stops a drain', async () => {
  const local = await localFleet();
  const { fleet } = local;
  const names = ['one', 'two', 'three'];
  await local.join({ name: 'a', limits: { outgoing: 3 } });
  const counts = await startSleepers(local, names);
  await local.join({ name: 'b', limits: { incoming: 1 } });
  const whole = await fleet.drain('a');
  expect((await whole.result()).steps.map(({ state }) => state)).toEqual(['done', 'done', 'done']);
  expect(counts()).toEqual([1, 1, 1]);
  await fleet.undrain('a');
  await fleet.limitMoves(1);
  const back = await fleet.drain('b');
  await fleet.undrain('b');
  const { steps } = await back.ended();
  expect(steps.map(({ state }) => state)).toContain('cancelled');
  expect((await fleet.hosts())[1]).toMatchObject({ name: 'b', state: 'ready' });
  expect(counts()).toEqual([1, 1, 1]);
});
