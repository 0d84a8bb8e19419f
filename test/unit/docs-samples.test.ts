import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { buildLibrary } from '../helpers/built.ts';
import { nodeMajors, nodePath } from '../helpers/node-versions.ts';
import { codeBlocks, pages, root } from '../helpers/pages.ts';

const samples = (await pages()).flatMap((page) => codeBlocks(page, ['js', 'ts']));

test('the samples of the documentation fit the built types', { timeout: 120_000 }, async () => {
  await buildLibrary();
  const directory = join(root, '.cache/samples');
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const tsconfig = {
    extends: '../../tsconfig.json',
    compilerOptions: {
      // What TypeScript asks of a project by default.
      noUncheckedIndexedAccess: false,
      exactOptionalPropertyTypes: false,
      paths: {
        'node-criu': ['../../dist/index.d.ts'],
        'node-criu/guest': ['../../dist/guest.d.ts'],
        'node-criu/images': ['../../dist/images.d.ts'],
        'node-criu/containers': ['../../dist/containers.d.ts'],
        'node-criu/fleet': ['../../dist/fleet.d.ts'],
        'node-criu/report': ['../../dist/report.d.ts'],
      },
    },
    include: ['.', '../../test/types/samples.d.ts'],
  };
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(tsconfig));
  const files = new Map(
    samples.map(({ place, code }) => [`${place.replaceAll(/[^\w]+/g, '-')}.mts`, { place, code }]),
  );
  for (const [name, { code }] of files) {
    // Without an import it would be a script, in which nothing can be awaited.
    await writeFile(join(directory, name), `${code}export {};\n`);
  }
  const tsc = join(root, 'scripts/tsc.sh');
  const { stdout } = await execa('bash', [tsc, '-p', directory, '--pretty', 'false'], {
    reject: false,
  });
  const told = stdout.replaceAll(
    /\S*?([\w-]+\.mts)/g,
    (all, name) => files.get(name)?.place ?? all,
  );
  expect(told).toBe('');
});

test.each(nodeMajors)('Node %i can parse the JavaScript samples', async (major) => {
  const javaScript = samples.filter(({ language }) => language === 'js');
  expect(javaScript.length).toBeGreaterThan(10);
  const script = `
    const { SourceTextModule } = require('vm');
    for (const { place, code } of ${JSON.stringify(javaScript)}) {
      try {
        new SourceTextModule(code);
      } catch (error) {
        console.log(place, error.message);
      }
    }`;
  const flags = ['--no-warnings', '--experimental-vm-modules'];
  const { stdout } = await execa(nodePath(major), [...flags, '-e', script]);
  expect(stdout).toBe('');
});
