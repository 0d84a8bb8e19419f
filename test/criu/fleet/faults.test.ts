import { beforeAll, describe, expect, test } from 'vitest';
import { buildLibrary } from '../../helpers/built.ts';
import { fleetScene, startWeb } from '../../helpers/fleet-lab.ts';
import { oneIn } from '../../helpers/sample.ts';
import { waitFor } from '../../helpers/workload.ts';

beforeAll(buildLibrary);

const sides = [
  { index: 0, points: ['source rounds', 'source prepare', 'source hand-over'], first: 2 },
  {
    index: 1,
    points: ['destination receiving', 'destination prepared', 'destination resuming'],
    first: 1,
  },
];

describe.each(sides)('the agent of host $index', ({ index, points, first }) => {
  test.each(oneIn(3, 'points at which an agent dies', points, first))(
    'dies at %s: the next one goes on, and the workload runs once',
    async (point) => {
      const scene = await fleetScene(2);
      const { fleet, agents, startAgent } = scene;
      const web = await startWeb(scene, 0, { heap: 16 });
      await agents[index]?.ask('dieAt', { point });
      const operation = await fleet.move('web-0');
      await agents[index]?.exited;
      await startAgent(index);
      expect(await operation.result()).toMatchObject({ state: 'done', steps: [{ to: 'b' }] });
      await waitFor(async () => (await fleet.workloads())[0]?.host === 'b', 'it is on b');
      await web.check('b');
      expect(await fleet.workloads()).toMatchObject([{ name: 'web-0', state: 'running' }]);
    },
  );
});
