import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pack, prebuilt, root, type Tarball } from '../helpers/tarball.ts';

let directory: string;
let tarball: Tarball;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'node-criu-package-'));
  tarball = await pack(directory);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test('only what is needed is in the tarball, and it is under 1 MiB', async () => {
  const sources = (await readdir(join(root, 'src'), { recursive: true })).flatMap((name) => {
    const [, path, extension] = /^(.*?)(\.d\.ts|\.ts|\.js)$/.exec(name) ?? [];
    // Generated files are there as they are, and of the generated types there is nothing to run.
    if (extension === '.d.ts' || extension === '.js') return `dist/${name}`;
    if (extension !== '.ts') return [];
    const types = `dist/${path}.d.ts`;
    return path?.startsWith('generated/types/') ? types : [types, `dist/${path}.js`];
  });
  const others = ['LICENSE', 'README.md', 'package.json'];
  const addons = prebuilt.map((name) => `prebuilds/${name}`);
  // More than that is left over from sources that are no more: rm -r dist.
  expect(tarball.files).toEqual([...sources, ...others, ...addons].sort());
  expect(tarball.size).toBeLessThan(2 ** 20);
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
