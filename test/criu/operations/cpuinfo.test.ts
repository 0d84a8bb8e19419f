import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CAPABILITY, doctor, XFEATURES_MASK } from '../../helpers/cpuinfo.ts';
import { client, temporaryDirectory } from '../../helpers/workload.ts';

test('a description of the processor is written, for its owner alone, and this host passes', async () => {
  const criu = client();
  const imagesDirectory = join(await temporaryDirectory(), 'made');
  await criu.cpuinfoDump({ imagesDirectory });
  expect(await readdir(imagesDirectory)).toEqual(['cpuinfo-dump.log', 'cpuinfo.img']);
  expect((await stat(join(imagesDirectory, 'cpuinfo.img'))).mode & 0o777).toBe(0o600);
  await criu.cpuinfoCheck({ imagesDirectory });
});

test('logs go to the work directory', async () => {
  const criu = client();
  const [imagesDirectory, workDirectory] = [await temporaryDirectory(), await temporaryDirectory()];
  await criu.cpuinfoDump({ imagesDirectory, workDirectory });
  await criu.cpuinfoCheck({ imagesDirectory, workDirectory, logFile: 'compared.log' });
  expect(await readdir(imagesDirectory)).toEqual(['cpuinfo.img']);
  expect((await readdir(workDirectory)).sort()).toEqual(['compared.log', 'cpuinfo-dump.log']);
});

test('a processor with instructions that this one lacks does not match', async () => {
  const criu = client();
  const imagesDirectory = await temporaryDirectory();
  await criu.cpuinfoDump({ imagesDirectory });
  // No processor has every feature there is: AMD's and Intel's own exclude each other.
  await doctor(imagesDirectory, CAPABILITY, () => 0xffff_ffffn);
  const check = criu.cpuinfoCheck({ imagesDirectory, cpuCap: ['ins'] });
  await expect(check).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    operation: 'cpuinfoCheck',
    message: expect.stringContaining('CPU instruction capabilities do not match'),
    log: { path: join(imagesDirectory, 'cpuinfo-check.log') },
  });
});

test('cpuCap selects what is compared', async () => {
  const criu = client();
  const imagesDirectory = await temporaryDirectory();
  await criu.cpuinfoDump({ imagesDirectory });
  await doctor(imagesDirectory, XFEATURES_MASK, (mask) => mask | (1n << 60n));
  await expect(criu.cpuinfoCheck({ imagesDirectory })).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    message: expect.stringMatching(/xfeatures has unsupported bits \(0x1000000000000000\)/),
  });
  await expect(criu.cpuinfoCheck({ imagesDirectory, cpuCap: ['fpu'] })).rejects.toThrow(
    'xfeatures has unsupported bits',
  );
  await criu.cpuinfoCheck({ imagesDirectory, cpuCap: ['ins'] });
});

test('a description that is missing or cut off makes an error which says so', async () => {
  const criu = client();
  const imagesDirectory = await temporaryDirectory();
  await expect(criu.cpuinfoCheck({ imagesDirectory })).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    message: expect.stringContaining('No cpuinfo image'),
  });
  await criu.cpuinfoDump({ imagesDirectory });
  const image = join(imagesDirectory, 'cpuinfo.img');
  await writeFile(image, (await readFile(image)).subarray(0, 40));
  await expect(criu.cpuinfoCheck({ imagesDirectory })).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    message: expect.stringMatching(/Read \d+ bytes while \d+ expected/),
  });
});

test('a directory that is missing is refused for the check, and made for the dump', async () => {
  const criu = client();
  const imagesDirectory = join(await temporaryDirectory(), 'none');
  await expect(criu.cpuinfoCheck({ imagesDirectory })).rejects.toMatchObject({
    code: 'ERR_CRIU_INVALID_ARGUMENT',
    option: 'imagesDirectory',
  });
  await criu.cpuinfoDump({ imagesDirectory });
  expect((await stat(imagesDirectory)).mode & 0o777).toBe(0o700);
});
