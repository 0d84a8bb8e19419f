import { once } from 'node:events';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { TemplatePool, type TemplatePoolOptions } from '../../../src/index.ts';
import { childrenOf, descendantsOf } from '../../../src/procfs/tree.ts';
import { askCopy, serverTemplate, TEMPLATE_PORT } from '../../helpers/copies.ts';
import { failureOf } from '../../helpers/failures.ts';
import { children, holdings } from '../../helpers/own-resources.ts';
import { isAlive, waitFor, waitStopped } from '../../helpers/workload.ts';

const publish = [{ to: TEMPLATE_PORT }];

test('a pool keeps copies that are stopped, and replaces those that are taken or killed', async () => {
  const template = await serverTemplate();
  const before = await holdings();
  const pool = new TemplatePool(template, { size: 2, publish });
  await pool.filled();
  expect(pool.available).toBe(2);
  const kept = (await children()).filter((pid) => !before.children.includes(pid));
  for (const pid of kept.flatMap(descendantsOf)) await waitStopped(pid);

  const copies = await Promise.all([pool.take({ name: 'a' }), pool.take(), pool.take()]);
  expect(copies[0]?.name).toBe('a');
  expect(copies.map(({ pid }) => pid)).toEqual(expect.arrayContaining(kept));
  for (const copy of copies) expect(await askCopy(copy)).toMatchObject({ requests: 1, pid: 2 });
  await pool.filled();

  const [victim = 0] = (await children()).filter(
    (pid) => ![...before.children, ...copies.map((copy) => copy.pid)].includes(pid),
  );
  process.kill(victim, 'SIGKILL');
  await waitFor(() => pool.available < 2, 'the killed copy is missed');
  await pool.filled();

  await pool.close();
  expect(await failureOf(pool.take())).toMatchObject({
    code: 'ERR_CRIU_CLOSED',
    operation: 'take',
  });
  // Those that were taken run on.
  for (const copy of copies) {
    expect(await isAlive(copy.pid)).toBe(true);
    await copy.close();
  }
  expect(await holdings()).toEqual(before);
});

test('a pool says why it cannot make copies', async () => {
  const template = await serverTemplate();
  await using pool = new TemplatePool(template, { size: 1 });
  await pool.filled();
  // Its copies are in the network of this host, where only one can have the port.
  await using second = new TemplatePool(template, { size: 1 });
  expect(await failureOf(second.filled())).toMatchObject({ code: 'ERR_CRIU_ADDRESS_IN_USE' });
  expect(await failureOf(second.take())).toMatchObject({
    code: 'ERR_CRIU_ADDRESS_IN_USE',
    operation: 'take',
  });
  for (const [option, options] of [
    ['size', { size: 0 }],
    ['publish', { size: 1, publish: [{ port: 80, to: 80 }] }],
    ['name', { size: 1, name: 'a' } as TemplatePoolOptions],
  ] as const) {
    expect(await failureOf(() => new TemplatePool(template, options))).toMatchObject({
      code: 'ERR_CRIU_INVALID_ARGUMENT',
      option,
    });
  }
});

test('what a pool keeps ends with its process', async () => {
  const template = await serverTemplate();
  const fixture = join(import.meta.dirname, '../../fixtures/template-pool.mjs');
  const keeper = execa(process.execPath, [fixture, template.imagesDirectory, criuPath()], {
    reject: false,
  });
  onTestFinished(() => void keeper.kill('SIGKILL'));
  await once(keeper.stdout, 'data');
  const kept = childrenOf(keeper.pid ?? 0);
  expect(kept).toHaveLength(2);
  keeper.kill('SIGKILL');
  await keeper;
  await waitFor(
    async () => !(await Promise.all(kept.map(isAlive))).includes(true),
    'the copies end',
  );
});
