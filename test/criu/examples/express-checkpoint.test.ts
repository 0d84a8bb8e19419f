import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startExample } from '../../helpers/example.ts';
import { freePort } from '../../helpers/serve-command.ts';
import { killAfterTest, temporaryDirectory, waitFor, waitGone } from '../../helpers/workload.ts';

test('an express app keeps what it had in memory across a restart', async () => {
  const port = await freePort();
  const directory = join(await temporaryDirectory(), 'checkpoint');
  const cart = `http://127.0.0.1:${port}/carts/ann`;

  const first = await startExample('express-checkpoint.js', [directory, port]);
  const [, started] = await first.prints(/started process (\d+)/);
  const pid = Number(started);
  killAfterTest(pid);
  const isUp = () =>
    fetch(cart).then(
      () => true,
      () => false,
    );
  await waitFor(isUp, 'the app listens');
  await fetch(`${cart}/tea`, { method: 'POST' });
  first.child.kill('SIGINT');
  await first.prints(/frozen: [\d.]+ MiB/);
  expect((await first.ended).code).toBe(0);
  await waitGone(pid);

  const second = await startExample('express-checkpoint.js', [directory, port]);
  await second.prints(new RegExp(`restored process ${pid}`));
  const answer = await fetch(`${cart}/milk`, { method: 'POST' });
  expect(await answer.json()).toEqual(['tea', 'milk']);
});
