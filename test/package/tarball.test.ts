import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { npmPack, pack, prebuilt, root, type Tarball } from '../helpers/tarball.ts';

let directory: string;
let tarball: Tarball;
/** The files that the package is meant to contain. */
let files: string[];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'node-criu-package-'));
  tarball = await pack(directory);
  files = [
    ...(await entryDeclarations()),
    ...['dist/index.js', 'dist/library.cjs', 'dist/on-demand.cjs', 'dist/grpc.js'],
    ...['dist/guest.js', 'dist/images.js', 'dist/report.js', 'dist/containers.js', 'dist/fleet.js'],
    ...['dist/cli/main.js', 'dist/LICENSES'],
    ...(await filesIn('dist/fleet-page', /\.(css|html|js|svg)$/)),
    ...(await filesIn('dist/code-cache', /./)),
    ...(await filesIn('docs', /\.(md|png|svg)$/)),
    ...(await filesIn('examples', /\.\w+$/)),
    ...(await filesIn('examples/copies', /./)),
    ...(await filesIn('examples/fleet', /./)),
    ...prebuilt.map((name) => `prebuilds/${name}`),
    ...(await filesIn('src/native', /\.[ch]$/)),
    ...(await filesIn('src/native/launcher', /\.[ch]$/)),
    ...(await filesIn('src/native/lazy-pages', /\.[ch]$/)),
    ...['CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'],
    ...['scripts/build-addon.mjs', 'LICENSE', 'README.md', 'package.json'],
  ].sort();
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** The files of a directory of the checkout whose names match. */
async function filesIn(folder: string, pattern: RegExp): Promise<string[]> {
  const names = await readdir(join(root, folder));
  return names.filter((name) => pattern.test(name)).map((name) => `${folder}/${name}`);
}

/** The declaration files of all entries. */
async function entryDeclarations(): Promise<Set<string>> {
  const found = new Set<string>();
  for (const entry of ['index', 'containers', 'fleet', 'guest', 'images', 'report']) {
    await declarationsFrom(`dist/${entry}.d.ts`, found);
  }
  return found;
}

/** A declaration file and all declaration files that it imports, directly or indirectly. */
async function declarationsFrom(file: string, found = new Set<string>()): Promise<Set<string>> {
  if (found.has(file)) return found;
  found.add(file);
  const text = await readFile(join(root, file), 'utf8');
  for (const [, specifier = ''] of text.matchAll(/from '(\.[^']+)\.[jt]s'/g)) {
    await declarationsFrom(join(dirname(file), `${specifier}.d.ts`), found);
  }
  return found;
}

test('the tarball has the expected files and is smaller than 1.5 MiB', () => {
  expect(tarball.files).toEqual(files);
  expect(tarball.size).toBeLessThan(1.5 * 2 ** 20);
});

test('npm pack ignores what an earlier build left in a checkout', async () => {
  const checkout = join(directory, 'checkout');
  await mkdir(checkout);
  const parts = ['src', 'scripts', 'docs', 'examples', 'prebuilds', 'LICENSE', 'package.json'];
  const pages = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'];
  for (const name of [...parts, ...pages, 'tsconfig.json', 'tsconfig.build.json']) {
    // Keeps the addons newer than their sources, so that they are not built again.
    const options = { recursive: true, preserveTimestamps: true };
    await cp(join(root, name), join(checkout, name), options);
  }
  await symlink(join(root, 'node_modules'), join(checkout, 'node_modules'));
  await mkdir(join(checkout, 'dist/options'), { recursive: true });
  await writeFile(join(checkout, 'dist/options/removed.js'), '');
  const packed = await npmPack(checkout, checkout);
  // The checkout has no other Nodes to compile for.
  const portable = (names: readonly string[]) =>
    names.filter((name) => !name.includes('/code-cache/'));
  expect(portable(packed.files)).toEqual(portable(files));
  for (const name of [
    'index.js',
    'library.cjs',
    'on-demand.cjs',
    'grpc.js',
    'guest.js',
    'images.js',
    'report.js',
    'containers.js',
    'fleet.js',
    'cli/main.js',
    'LICENSES',
    'index.d.ts',
    'guest.d.ts',
    'images.d.ts',
    'report.d.ts',
    'containers.d.ts',
    'fleet.d.ts',
  ]) {
    const [here, there] = await Promise.all(
      [root, checkout].map((at) => readFile(join(at, 'dist', name), 'utf8')),
    );
    expect(there).toBe(here);
  }
});

test('every file that a document links to is shipped', async () => {
  for (const name of files.filter((file) => file.endsWith('.md'))) {
    const text = await readFile(join(root, name), 'utf8');
    const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, link = '']) =>
      join(dirname(name), link),
    );
    expect(files).toEqual(expect.arrayContaining(links));
  }
});

test('the licences of the bundled packages are shipped', async () => {
  const licences = await readFile(join(root, 'dist/LICENSES'), 'utf8');
  const bundled = licences.match(/^\S+ [\d.]+, .*$/gm);
  expect(bundled).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^@grpc\/grpc-js .* Apache-2.0$/),
      expect.stringMatching(/^d3-hierarchy .* ISC$/),
      expect.stringMatching(/^long .* Apache-2.0$/),
      expect.stringMatching(/^protobufjs 7.* BSD-3-Clause$/),
    ]),
  );
  expect(licences).toContain('Redistributions in binary form must reproduce');
  expect(licences).toContain('TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION');
});

test('the package has no install script', async () => {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const run = ['preinstall', 'install', 'postinstall', 'prepare', 'preprepare', 'postprepare'];
  expect(run.filter((name) => name in scripts)).toEqual([]);
  // npm would run node-gyp for it.
  expect(tarball.files).not.toContain('binding.gyp');
});

test('publint reports no problem', async () => {
  const { buffer } = await readFile(tarball.path);
  const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true });
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
});

test('every module resolution finds the types', async () => {
  const data = createPackageFromTarballData(await readFile(tarball.path));
  const analysis = await checkPackage(data);
  if (!analysis.types) throw new Error('the package has no types');
  // All supported versions of Node can require() an ES module, as other tests show.
  const problems = analysis.problems.filter(({ kind }) => kind !== 'CJSResolvesToESM');
  expect(problems).toEqual([]);
  expect(Object.keys(analysis.entrypoints).sort()).toEqual([
    '.',
    './containers',
    './fleet',
    './guest',
    './images',
    './package.json',
    './report',
  ]);
});
