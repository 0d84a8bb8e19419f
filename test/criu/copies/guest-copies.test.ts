import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { GuestHandle, TemplateOptions } from '../../../src/index.ts';
import { ask, askCopy, serverTemplate, startCopy, textOf } from '../../helpers/copies.ts';
import { failureOf } from '../../helpers/failures.ts';
import { guestFile, listeningGuest } from '../../helpers/guest.ts';
import { nodeOptions } from '../../helpers/node-versions.ts';
import { client, isAlive, temporaryDirectory, waitFor } from '../../helpers/workload.ts';

test('a program with the guest library asks for its checkpoint, and each copy is told who it is', async () => {
  const template = await serverTemplate({ env: { ...process.env, GUEST: 'asks', TENANT: 'none' } });
  expect(template.hasGuest).toBe(true);
  // Both in the network of the host: each listens on a port of its own.
  const [blue, green] = await Promise.all([
    startCopy(template, { name: 'blue', env: { TENANT: 'blue', PORT: '18091' }, args: ['a', 'b'] }),
    startCopy(template, { env: { TENANT: undefined, PORT: '18092' }, stdout: 'pipe' }),
  ]);
  expect(blue.name).toBe('blue');
  expect(green.name).toBe(green.id);
  expect(await ask(18_091)).toMatchObject({ requests: 1, tenant: 'blue', args: ['a', 'b'] });
  expect(await ask(18_092)).toMatchObject({ requests: 1, tenant: null, args: ['18080'] });
  green.kill();
  expect(await textOf(green.stdout)).toBe('listens on 18092\ngoodbye\n');
});

test('a copy whose function fails is ended, and the error says why', async () => {
  const template = await serverTemplate({ env: { ...process.env, GUEST: '1' } });
  const error = await failureOf(template.start({ env: { FAIL: 'no database here' } }));
  expect(error).toMatchObject({
    code: 'ERR_CRIU_GUEST',
    operation: 'start',
    message: expect.stringMatching(/^start: .*no database here$/),
  });
  const copy = await startCopy(template, { publish: [{ to: 18_093 }], env: { PORT: '18093' } });
  expect(await askCopy(copy)).toMatchObject({ requests: 1 });
});

test('a checkpoint that a function of the program refuses is not made', async () => {
  const directory = await temporaryDirectory();
  const script = `
    const { onBeforeCheckpoint, checkpoint } = await import(${JSON.stringify(guestFile)});
    onBeforeCheckpoint(() => { throw new Error('not while I write'); });
    await checkpoint();`;
  const error = await failureOf(
    client().template(process.execPath, ['--input-type=module', '-e', script], {
      imagesDirectory: join(directory, 'images'),
    }),
  );
  expect(error).toMatchObject({
    code: 'ERR_CRIU_GUEST',
    message: expect.stringContaining('not while I write'),
  });
});

test('a program without the guest library cannot be told anything, and a finding says what its copies share', async () => {
  const template = await serverTemplate();
  expect(template.hasGuest).toBe(false);
  const opened = await client().openTemplate(template.imagesDirectory);
  for (const { findings } of [template, opened]) {
    expect(findings).toEqual([
      {
        ...{ code: 'NO_GUEST', severity: 'warning', pid: 2 },
        message: expect.stringMatching(/^process 2 \(\S+\) does not use node-criu\/guest: /),
        remedy: expect.any(String),
      },
    ]);
  }
  for (const options of [{ env: { A: 'b' } }, { args: ['x'] }]) {
    expect(await failureOf(template.start(options))).toMatchObject({
      code: 'ERR_CRIU_INVALID_ARGUMENT',
      option: Object.keys(options)[0],
    });
  }
});

test('what a program has open at its checkpoint is reported, with the place that opened it', async () => {
  const directory = await temporaryDirectory();
  const app = await listeningGuest(18_096);
  const make = (name: string, reportHandles: Required<TemplateOptions>['reportHandles']) =>
    client().template(process.execPath, [...nodeOptions(), app], {
      ...{ imagesDirectory: join(directory, name), reportHandles },
    });
  const reported: GuestHandle[] = [];
  const template = await make('one', (handles) => void reported.push(...handles));
  expect(template.findings).toEqual([]);
  expect(reported).toEqual([
    {
      ...{ kind: 'listener', detail: 'TCP 127.0.0.1:18096' },
      stack: expect.stringContaining(app),
    },
  ]);
  const refusal = new Error('nothing may be open');
  const refused = make('two', () => Promise.reject(refusal));
  expect(await failureOf(refused)).toMatchObject({
    message: expect.stringContaining('nothing may be open'),
  });
  expect(existsSync(join(directory, 'two/inventory.img'))).toBe(false);
});

test('the checkpoint of a copy is a template, and the copy may run on', async () => {
  const template = await serverTemplate({ env: { ...process.env, GUEST: '1' } });
  const copy = await startCopy(template, {
    env: { PORT: '18094' },
    network: 'own',
    stdout: 'pipe',
  });
  const imagesDirectory = join(await temporaryDirectory(), 'second');
  await copy.dump({ imagesDirectory, leaveRunning: true });
  expect(await isAlive(copy.pid)).toBe(true);
  const second = await client().openTemplate(imagesDirectory);
  const [one, other] = await Promise.all(
    ['18095', '18096'].map((PORT) =>
      startCopy(second, { env: { PORT }, publish: [{ to: Number(PORT) }], stdout: 'pipe' }),
    ),
  );
  expect(await Promise.all([one, other].map((each) => each && askCopy(each)))).toMatchObject([
    { requests: 1, pid: 2 },
    { requests: 1, pid: 2 },
  ]);
  one?.kill();
  expect(await textOf(one?.stdout)).toBe('listens on 18095\ngoodbye\n');
  await copy.dump({ imagesDirectory, overwrite: true });
  expect(await textOf(copy.stdout)).toBe('listens on 18094\nlistens on 18094\n');
  expect(await copy.exited).toMatchObject({ code: null });
  await waitFor(async () => !(await isAlive(copy.pid)), 'the copy has ended');
});
