import { mkdir, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { type CriuErrorCode, type DumpOptions, preflight } from '../../../src/index.ts';
import { buildLibrary } from '../../helpers/built.ts';
import { callWithout, deprivations } from '../../helpers/capabilities.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { failureOf } from '../../helpers/failures.ts';
import { codesOf, startObstacle } from '../../helpers/obstacle.ts';
import { client, startProgram, temporaryDirectory, waitFor } from '../../helpers/workload.ts';

test('finds images that do not fit on the disk, unless the memory is sent elsewhere', async () => {
  const criu = client();
  const small = join(await temporaryDirectory(), 'small');
  await mkdir(small);
  await execa('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', small]);
  onTestFinished(async () => {
    await execa('umount', [small]);
  });
  const { pid } = await startObstacle('memory', String(16 << 20));
  const imagesDirectory = join(small, 'images');

  const findings = await criu.preflight(pid, { imagesDirectory });
  expect(findings).toMatchObject([{ code: 'NO_SPACE', severity: 'error', pid }]);
  expect(findings[0]?.message).toContain(imagesDirectory);
  const error = await failureOf(criu.dump(pid, { imagesDirectory }));
  expect(error.workload).toBe('running');
  expect(codesOf(error.findings)).toEqual(['NO_SPACE']);

  const pageServer = { address: '127.0.0.1', port: 1 };
  expect(await criu.preflight(pid, { imagesDirectory, pageServer })).toEqual([]);
  expect(await criu.preflight(pid, { imagesDirectory: '/tmp/not/there/yet' })).toEqual([]);
});

test.each([
  'a process without capabilities',
  'a process without CAP_SYS_ADMIN and CAP_CHECKPOINT_RESTORE',
] as const)('%s gets a finding about the capability that criu lacks', async (way) => {
  await buildLibrary();
  const { pid } = await startObstacle('nothing');
  const options = { imagesDirectory: join(await temporaryDirectory(), 'images') };
  const { done } = await callWithout(deprivations[way], 'preflight', [pid, options]);
  expect(done).toContainEqual(
    expect.objectContaining({ code: 'MISSING_CAPABILITY', severity: 'error', pid }),
  );
  const refused = await callWithout(deprivations[way], 'dump', [pid, options]);
  expect(refused).toMatchObject({ name: 'CriuError', code: 'ERR_CRIU_NO_PERMISSION' });
});

test('another user gets findings about missing capabilities and permissions', async () => {
  await buildLibrary();
  const { pid } = await startObstacle('nothing');
  const { done } = await callWithout(deprivations['another user'], 'preflight', [pid]);
  expect(codesOf(done as never)).toEqual(
    expect.arrayContaining(['MISSING_CAPABILITY', 'NO_PERMISSION']),
  );
});

test.each<[string, DumpOptions]>([
  ['an option of CRIU 4.3', { imageIoMode: 'direct' }],
  ['tracking of memory', { trackMem: true }],
  ['parent images', { parentImage: '../parent' }],
  ['lazy pages', { lazyPages: true, pageServer: { port: 1 } }],
])('finds missing support for %s exactly if a dump fails for it', async (_title, options) => {
  const criu = client();
  const { pid } = await startObstacle('nothing');
  const { number } = await criu.version();
  const { memTrack, lazyPages } = await criu.features();
  // Without tracking, memory is compared with the parent images, for which CRIU leaves it in the processes.
  const needsLazyPages = options.lazyPages || (options.parentImage && !memTrack);
  const expected = [
    ...(options.imageIoMode && number < 40300 ? ['CRIU_TOO_OLD'] : []),
    ...(needsLazyPages && !lazyPages ? ['NO_LAZY_PAGES'] : []),
  ];
  const findings = await criu.preflight(pid, options);
  expect(codesOf(findings.filter(({ severity }) => severity === 'error'))).toEqual(expected);
  for (const code of expected) {
    const imagesDirectory = join(await temporaryDirectory(), 'images');
    const error = await failureOf(criu.dump(pid, { ...options, imagesDirectory, insecure: true }));
    expect(error.code).toBe(`ERR_${code.replace(/^(?!CRIU_)/, 'CRIU_')}`);
  }
});

test('tells how much a dump with lazy pages copies itself while the processes are frozen', async () => {
  const criu = client();
  const { pid } = await startObstacle('shared_memory');
  const [finding, ...others] = await criu.preflight(pid, { lazyPages: true });
  expect(others).toEqual([]);
  expect(finding).toMatchObject({ code: 'NOT_LAZY', severity: 'info', pid });
  expect(finding?.message).toContain(`shared memory (${1 << 20})`);
  const imagesDirectory = await temporaryDirectory();
  await using _ = await criu.lazyDump(pid, { imagesDirectory });
  const files = (await readdir(imagesDirectory)).filter((name) => name.startsWith('pages-'));
  const sizes = await Promise.all(
    files.map(async (name) => await stat(join(imagesDirectory, name))),
  );
  const copied = sizes.reduce((sum, { size }) => sum + size, 0);
  expect(Math.abs((finding?.bytes ?? 0) - copied)).toBeLessThan(copied / 8);
});

test('for a pre-dump, reports warnings about the dump after it', async () => {
  const criu = client();
  const { pid } = await startObstacle('deleted_linked', '@/file');
  const findings = await criu.preflight(pid, { preDump: true });
  expect(findings.map(({ code, severity }) => [code, severity])).toEqual([
    ['DELETED_FILE_LINKED', 'warning'],
  ]);
});

test('finds a missing criu, and still checks everything else', async () => {
  const { pid } = await startObstacle('deleted_linked', '@/file');
  const findings = await client({ path: '/no/such/criu' }).preflight(pid);
  expect(findings.map(({ code }) => code)).toEqual(['CRIU_UNUSABLE', 'DELETED_FILE_LINKED']);
  expect(findings[0]?.message).toContain('/no/such/criu');
});

test('the function returns the same findings as the method', async () => {
  const { pid } = await startObstacle('deleted_linked', '@/file');
  const findings = await preflight(pid, { path: criuPath() });
  expect(codesOf(findings)).toEqual(['DELETED_FILE_LINKED']);
  expect(await client().preflight(pid)).toEqual(findings);
  expect(await preflight(pid, { path: criuPath(), linkRemap: true })).toEqual([]);
});

test("takes the client's defaults and a configuration file into account", async () => {
  const { pid } = await startObstacle('deleted_linked', '@/file');
  expect(await client({ defaults: { linkRemap: true } }).preflight(pid)).toEqual([]);
  const configFile = join(await temporaryDirectory(), 'criu.conf');
  await writeFile(configFile, '# allow it\nlink-remap\n');
  const criu = client();
  expect(await criu.preflight(pid, { configFile })).toEqual([]);
  const imagesDirectory = join(await temporaryDirectory(), 'images');
  await criu.dump(pid, { configFile, imagesDirectory });
});

test.each<[string, unknown[], CriuErrorCode, RegExp]>([
  ['a pid of 0', [0], 'ERR_CRIU_INVALID_ARGUMENT', /preflight: pid takes a positive integer/],
  ['half a pid', [1.5], 'ERR_CRIU_INVALID_ARGUMENT', /pid takes/],
  ['a pid that is none', ['1'], 'ERR_CRIU_INVALID_ARGUMENT', /pid takes/],
  [
    'a process that is not there',
    [0x7ffffffe],
    'ERR_CRIU_NO_SUCH_PROCESS',
    /no process 2147483646/,
  ],
  ['no options at all', [1, null], 'ERR_CRIU_INVALID_ARGUMENT', /options takes an object/],
  [
    'an option that is not there',
    [1, { tcpEstablish: true }],
    'ERR_CRIU_INVALID_ARGUMENT',
    /^preflight: there is no option tcpEstablish/,
  ],
  [
    'an option of the wrong type',
    [1, { shellJob: 'yes' }],
    'ERR_CRIU_INVALID_ARGUMENT',
    /^preflight: shellJob takes a boolean/,
  ],
  [
    'a hook that is not there',
    [1, { hooks: { preDumb() {} } }],
    'ERR_CRIU_INVALID_ARGUMENT',
    /^preflight: .*preDumb/,
  ],
  [
    'a deadline that is none',
    [1, { deadlineMs: -1 }],
    'ERR_CRIU_INVALID_ARGUMENT',
    /^preflight: deadlineMs takes/,
  ],
  [
    'an option of the restore of the wrong type',
    [1, { inheritFd: 3 }],
    'ERR_CRIU_INVALID_ARGUMENT',
    /^preflight: inheritFd takes/,
  ],
])('%s is refused', async (_title, args, code, message) => {
  const error = await failureOf(() => Reflect.apply(client().preflight, client(), args));
  expect(error).toMatchObject({ code, operation: 'preflight' });
  expect(error.message).toMatch(message);
});

test('reads nothing more after its deadline has ended it', async () => {
  const criu = client();
  const out = join(await temporaryDirectory(), 'out');
  const many = await compileFixture('many-descriptors');
  const { pid } = await startProgram(many, ['10000', out]);
  await waitFor(async () => (await readFile(out, 'utf8').catch(() => '')) !== '', 'all are open');
  await criu.preflight(process.pid);
  const openNow = async () => {
    const fds = await readdir('/proc/self/fd');
    const links = fds.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''));
    return (await Promise.all(links)).filter((link) => link.startsWith(`/proc/${pid}/`));
  };
  for (const deadlineMs of [40, 80, 120]) {
    const error = await failureOf(criu.preflight(pid, { deadlineMs }));
    expect(error.code).toBe('ERR_CRIU_TIMEOUT');
    for (let look = 0; look < 10; look++) expect(await openNow()).toEqual([]);
  }
});

test('can be aborted, and is refused by a closed client', async () => {
  const criu = client();
  const { pid } = await startObstacle('nothing');
  const aborted = await failureOf(criu.preflight(pid, { signal: AbortSignal.abort() }));
  expect(aborted.code).toBe('ERR_CRIU_ABORTED');
  await criu.close();
  expect((await failureOf(criu.preflight(pid))).code).toBe('ERR_CRIU_CLOSED');
});
