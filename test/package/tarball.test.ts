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
/** All that is shipped. */
let files: string[];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'node-criu-package-'));
  tarball = await pack(directory);
  files = [
    ...(await declarationsFrom('dist/index.d.ts')),
    ...['dist/index.js', 'dist/cli/main.js', 'dist/LICENSES'],
    ...(await filesIn('docs', /\.(md|svg)$/)),
    ...(await filesIn('examples', /./)),
    ...prebuilt.map((name) => `prebuilds/${name}`),
    ...['CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'],
    ...['LICENSE', 'README.md', 'package.json'],
  ].sort();
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** The files of a directory whose names match. */
async function filesIn(directory: string, pattern: RegExp): Promise<string[]> {
  const names = await readdir(join(root, directory));
  return names.filter((name) => pattern.test(name)).map((name) => `${directory}/${name}`);
}

/** The declaration files that the public types are made of: all that index.d.ts leads to. */
async function declarationsFrom(file: string, found = new Set<string>()): Promise<Set<string>> {
  if (found.has(file)) return found;
  found.add(file);
  const text = await readFile(join(root, file), 'utf8');
  for (const [, specifier = ''] of text.matchAll(/from '(\.[^']+)\.[jt]s'/g)) {
    await declarationsFrom(join(dirname(file), `${specifier}.d.ts`), found);
  }
  return found;
}

test('only what is needed is in the tarball, and it is under 1 MiB', () => {
  expect(tarball.files).toEqual(files);
  expect(tarball.size).toBeLessThan(2 ** 20);
});

test('npm pack makes the same of a checkout, whatever an earlier build has left there', async () => {
  const checkout = join(directory, 'checkout');
  await mkdir(checkout);
  const parts = ['src', 'scripts', 'docs', 'examples', 'prebuilds', 'LICENSE', 'package.json'];
  const pages = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'];
  for (const name of [...parts, ...pages, 'tsconfig.json', 'tsconfig.build.json']) {
    // An addon that is older than its source would be built again.
    const options = { recursive: true, preserveTimestamps: true };
    await cp(join(root, name), join(checkout, name), options);
  }
  await symlink(join(root, 'node_modules'), join(checkout, 'node_modules'));
  await mkdir(join(checkout, 'dist/options'), { recursive: true });
  await writeFile(join(checkout, 'dist/options/removed.js'), '');
  const packed = await npmPack(checkout, checkout);
  expect(packed.files).toEqual(files);
  for (const name of ['index.js', 'cli/main.js', 'LICENSES', 'index.d.ts']) {
    const [here, there] = await Promise.all(
      [root, checkout].map((at) => readFile(join(at, 'dist', name), 'utf8')),
    );
    expect(there).toBe(here);
  }
});

test('what the documents refer to is shipped', async () => {
  for (const name of files.filter((file) => file.endsWith('.md'))) {
    const text = await readFile(join(root, name), 'utf8');
    const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, link = '']) =>
      join(dirname(name), link),
    );
    expect(files).toEqual(expect.arrayContaining(links));
  }
});

test('the licences of what is in the library are shipped with it', async () => {
  const licences = await readFile(join(root, 'dist/LICENSES'), 'utf8');
  expect(licences.match(/^\S+ [\d.]+, .*$/gm)).toEqual([
    expect.stringMatching(/^long .* Apache-2.0$/),
    expect.stringMatching(/^protobufjs .* BSD-3-Clause$/),
  ]);
  expect(licences).toContain('Redistributions in binary form must reproduce');
  expect(licences).toContain('TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION');
});

test('nothing is run where it is installed', async () => {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const run = ['preinstall', 'install', 'postinstall', 'prepare', 'preprepare', 'postprepare'];
  expect(run.filter((name) => name in scripts)).toEqual([]);
  // For which npm would run node-gyp.
  expect(tarball.files).not.toContain('binding.gyp');
});

test('publint has nothing to say', async () => {
  const { buffer } = await readFile(tarball.path);
  const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true });
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
});

test('the types are right for every way to resolve them', async () => {
  const data = createPackageFromTarballData(await readFile(tarball.path));
  const analysis = await checkPackage(data);
  if (!analysis.types) throw new Error('it has no types');
  // It is ESM, which require() takes in all Node versions that are supported, as other tests show.
  const problems = analysis.problems.filter(({ kind }) => kind !== 'CJSResolvesToESM');
  expect(problems).toEqual([]);
  expect(Object.keys(analysis.entrypoints).sort()).toEqual(['.', './package.json']);
});
