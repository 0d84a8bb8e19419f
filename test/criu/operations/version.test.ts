import { execa } from 'execa';
import { expect, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { Criu, CriuError } from '../../../src/index.ts';
import { failureOf } from '../../helpers/failures.ts';
import { children, holdings } from '../../helpers/own-resources.ts';
import { client } from '../../helpers/workload.ts';

test('the version is the one that the command line prints', async () => {
  const { stdout } = await execa(criuPath(), ['--version']);
  const [, major = '', minor = '', sublevel = '0'] =
    /^Version: (\d+)\.(\d+)(?:\.(\d+))?/m.exec(stdout) ?? [];
  const gitId = /^GitID: (.+)$/m.exec(stdout)?.[1];
  const { extra, name, ...version } = await client().version();
  expect(version).toEqual({
    major: Number(major),
    minor: Number(minor),
    sublevel: Number(sublevel),
    number: Number(major) * 10000 + Number(minor) * 100 + Number(sublevel),
    ...(gitId !== undefined && { gitId }),
  });
  expect(typeof extra).toBe(extra === undefined ? 'undefined' : 'number');
  expect(typeof name).toBe(name === undefined ? 'undefined' : 'string');
});

test('all three features are those that the command line finds', async () => {
  const has = async (feature: string) => {
    const { exitCode } = await execa(criuPath(), ['check', '--feature', feature], {
      reject: false,
    });
    return exitCode === 0;
  };
  expect(await client().features()).toEqual({
    memTrack: await has('mem_dirty_track'),
    lazyPages: await has('uffd-noncoop'),
    pidfdStore: await has('pidfd_store'),
  });
});

test('many concurrent requests leave no child and no descriptor behind', async () => {
  const criu = client();
  const version = await criu.version();
  const before = await holdings();
  const answers = await Promise.all(Array.from({ length: 8 }, () => criu.version()));
  expect(answers).toEqual(Array(8).fill(version));
  expect(await holdings()).toEqual(before);
});

test('a deadline that is long enough has no effect', async () => {
  const criu = client();
  expect(await criu.version({ deadlineMs: 60_000 })).toEqual(await criu.version());
});

test('a closed client ends its sessions and refuses everything else', async () => {
  const criu = new Criu({ path: criuPath() });
  const before = await children();
  const session = await criu.session();
  expect(await children()).toContain(session.pid);
  await criu.close();
  await criu.close();
  expect(await children()).toEqual(before);
  await expect(session.exited).resolves.toHaveProperty('code');

  const calls: [string, () => Promise<unknown>][] = [
    ['version', () => criu.version()],
    ['features', () => criu.features()],
    ['check', () => criu.check()],
    ['dump', () => criu.dump(1, { imagesDirectory: '/nonexistent' })],
    ['preDump', () => criu.preDump(1, { imagesDirectory: '/nonexistent' })],
    ['restore', () => criu.restore({ imagesDirectory: '/nonexistent' })],
    ['pageServer', () => criu.pageServer({ imagesDirectory: '/nonexistent' })],
    ['session', () => criu.session()],
  ];
  for (const [operation, call] of calls) {
    const error = await failureOf(call);
    expect(error).toBeInstanceOf(CriuError);
    expect(error).toMatchObject({ code: 'ERR_CRIU_CLOSED', operation });
  }
});

test('a client is closed at the end of its scope', async () => {
  let kept: Criu;
  {
    await using criu = new Criu({ path: criuPath() });
    kept = criu;
    expect((await criu.version()).major).toBeGreaterThan(2);
  }
  expect(await failureOf(kept.version())).toMatchObject({ code: 'ERR_CRIU_CLOSED' });
});
