import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { callWithout, deprivations } from '../../helpers/capabilities.ts';
import { forgetKernel } from '../../helpers/kernel-cache.ts';
import { holdings } from '../../helpers/own-resources.ts';
import { client, temporaryDirectory } from '../../helpers/workload.ts';

test('the check passes where criu check passes on the command line', async () => {
  const { exitCode } = await execa(criuPath(), ['check']);
  expect(exitCode).toBe(0);
  const criu = client();
  await criu.version();
  const before = await holdings();
  await expect(criu.check()).resolves.toBeUndefined();
  expect(await holdings()).toEqual(before);
});

test('the check leaves nothing behind in the temporary directory', async () => {
  const directory = await temporaryDirectory();
  vi.stubEnv('TMPDIR', directory);
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(tmpdir()).toBe(directory);
  await client().check();
  expect(await readdir(directory)).toEqual([]);
});

test('the check writes the log file of its options', async () => {
  const workDirectory = await temporaryDirectory();
  await client().check({ workDirectory, logFile: 'told.log', logLevel: 4 });
  expect(await readdir(workDirectory)).toEqual(['told.log']);
  expect(await readFile(join(workDirectory, 'told.log'), 'utf8')).toMatch(/\n\(\d+\.\d+\) /);
});

describe.each(Object.entries(deprivations))('%s', (_, how) => {
  test('fails the check for lack of permission', async () => {
    const error = await callWithout(how, 'check');
    expect(error).toMatchObject({
      name: 'CriuError',
      code: 'ERR_CRIU_NO_PERMISSION',
      operation: 'check',
      message: expect.stringMatching(/^check: .*CAP_CHECKPOINT_RESTORE/),
    });
  });

  test('can ask for the version', async () => {
    expect(await callWithout(how, 'version')).toEqual({ done: await client().version() });
  });

  test('cannot ask for the features', async () => {
    // With CRIU's cache of the kernel's features, an answer takes no capability.
    await forgetKernel();
    const error = await callWithout(how, 'features');
    expect(error).toMatchObject({
      code: 'ERR_CRIU_NO_PERMISSION',
      operation: 'features',
      message: expect.stringMatching(/^features: .*CAP_CHECKPOINT_RESTORE/),
    });
  });
});
