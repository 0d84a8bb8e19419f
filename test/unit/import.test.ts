import { cp, readdir, readFile, rm, truncate } from 'node:fs/promises';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildLibrary } from '../helpers/built.ts';
import { nodeMajors, nodePath } from '../helpers/node-versions.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

const dist = resolve(import.meta.dirname, '../../dist');
beforeAll(buildLibrary);

test('the command imports nothing of the library but its public API and the readers of /proc', async () => {
  const directory = resolve(import.meta.dirname, '../../src/cli');
  const texts = await Promise.all(
    (await readdir(directory)).map((name) => readFile(join(directory, name), 'utf8')),
  );
  const imported = texts.flatMap((text) =>
    [...text.matchAll(/(?:from |import\()'(\.\.\/[^']+)'/g)].map(([, module]) => module),
  );
  const readers = ['../procfs/stat.ts', '../procfs/status.ts', '../procfs/tree.ts'];
  expect([...new Set(imported)].sort()).toEqual([
    '../containers.ts',
    '../fleet.ts',
    '../generated/help.ts',
    '../images.ts',
    '../index.ts',
    ...readers,
    '../report.ts',
  ]);
});

test('dist has few files: three for the library, and one each for gRPC, containers, fleets, guests, images, reports and the command, and the page about fleets', async () => {
  const names = await readdir(dist, { recursive: true });
  const page = await readdir(join(dist, '../src/fleet/dashboard/fleet-page'));
  expect(names.filter((name) => name.startsWith('fleet-page/')).sort()).toEqual(
    page.map((name) => `fleet-page/${name}`).sort(),
  );
  const programs = names.filter((name) => !name.startsWith('fleet-page/'));
  expect(programs.filter((name) => /\.[cm]?js$/.test(name)).sort()).toEqual([
    'cli/main.js',
    'containers.js',
    'fleet.js',
    'grpc.js',
    'guest.js',
    'images.js',
    'index.js',
    'library.cjs',
    'on-demand.cjs',
    'report.js',
  ]);
  // A source map would name sources that are not shipped.
  expect(names.filter((name) => name.endsWith('.map'))).toEqual([]);
});

test('the first use runs cached code, and ignores code that does not fit', async () => {
  const root = resolve(dist, '..');
  // For this Node, which may not be the one that has built the library.
  await execa(process.execPath, [join(root, 'scripts/code-cache.mjs')]);
  const copy = await temporaryDirectory();
  await cp(dist, join(copy, 'dist'), { recursive: true });
  await cp(join(root, 'package.json'), join(copy, 'package.json'));
  const script = `
    import vm from 'node:vm';
    vm.Script = class extends vm.Script {
      constructor(text, options) {
        super(text, options);
        console.log(this.cachedDataRejected);
      }
    };
    const { Criu } = await import(${JSON.stringify(join(copy, 'dist/index.js'))});
    console.log('imported');
    console.log(typeof new Criu().dump);`;
  const imported = async (...flags: string[]) => {
    const args = [...flags, '--input-type=module', '-e', script];
    return (await execa(process.execPath, args)).stdout.split('\n');
  };
  expect(await imported()).toEqual(['imported', 'false', 'function']);
  expect(await imported('--no-opt')).toEqual(['imported', 'true', 'function']);
  const caches = join(copy, 'dist/code-cache');
  const names = await readdir(caches);
  await Promise.all(names.map((name) => truncate(join(caches, name), 5000)));
  expect(await imported()).toEqual(['imported', 'true', 'function']);
  await rm(caches, { recursive: true });
  expect(await imported()).toEqual(['imported', 'undefined', 'function']);
});

describe.each(nodeMajors)('Node %i', (major) => {
  test.each([
    ['an import', 'index.js', ['child_process', 'net', 'stream']],
    // Commander loads those three.
    ['the command', 'cli/main.js', []],
  ])('%s loads no module that takes long to load', async (_, file, more) => {
    const script = `
      import ${JSON.stringify(join(dist, file))};
      console.log(JSON.stringify(process.moduleLoadList));`;
    const args = ['--input-type=module', '-e', script, '--', '--version'];
    const { stdout } = await execa(nodePath(major), args);
    const loaded = (JSON.parse(stdout.split('\n').at(-1) as string) as string[]).map((name) =>
      name.replace('NativeModule ', ''),
    );
    expect(loaded).toContain('diagnostics_channel');
    const slow = ['tls', 'crypto', 'http', 'http2', 'dns', 'zlib', 'perf_hooks', ...more];
    slow.push('fs/promises', 'readline', 'tty', 'worker_threads');
    expect(slow.filter((name) => loaded.includes(name))).toEqual([]);
  });

  test('an import works with few descriptors, and a use once there are more', async () => {
    const fixture = join(import.meta.dirname, '../fixtures/few-descriptors.mjs');
    // Sets both limits, because Node raises the soft limit to the hard one when it starts.
    const command = ['ulimit -n 32; exec "$0" "$1"', nodePath(major), fixture];
    const { stdout } = await execa('bash', ['-c', ...command]);
    const system = `ERR_CRIU_SYSTEM ${constants.errno.EMFILE}`;
    const notCriu = 'ERR_CRIU_NOT_CRIU undefined';
    expect(stdout.split('\n')).toEqual(['EMFILE', system, system, notCriu, 'exit code 0']);
  });

  test('migrations that lack descriptors fail with that cause, leave nothing, and work afterwards', async () => {
    const fixture = join(import.meta.dirname, '../fixtures/migrate-descriptors.mjs');
    const command = ['ulimit -n 64; exec "$0" "$@"', nodePath(major), fixture];
    // Node 26 reads the certificates that this names in a thread of its own, whenever that gets to it.
    const env = { NODE_EXTRA_CA_CERTS: undefined };
    const args = ['-c', ...command, await temporaryDirectory()];
    const { stdout } = await execa('bash', args, { env });
    const attempts = stdout.split('\n').map((line) => JSON.parse(line));
    const codes = (name: string) =>
      attempts.filter((each) => each.name === name).map(({ code }) => code);
    const system = 'ERR_CRIU_SYSTEM';
    const unknown = 'ERR_CRIU_NO_SUCH_PROCESS';
    expect(codes('migrate')).toEqual([system, system, unknown]);
    expect(codes('serve')).toEqual([system, system, 'done']);
    // A missing process is found without a descriptor.
    expect(codes('migrate again')).toEqual([unknown]);
    expect(attempts.flatMap(({ left }) => left)).toEqual([]);
    expect(attempts.flatMap(({ journals }) => journals)).toEqual([]);
  });
});
