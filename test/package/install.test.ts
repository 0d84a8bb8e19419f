import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { criuPath } from '../../scripts/criu-path.mjs';
import { nodeMajors, nodePath } from '../helpers/node-versions.ts';
import { pack, root } from '../helpers/tarball.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

/** A project outside the checkout, with nothing but the package, and what it needs on its PATH. */
let project: string;
let env: Record<string, string>;
beforeAll(async () => {
  project = await realpath(await mkdtemp(join(tmpdir(), 'node-criu-project-')));
  env = {
    PATH: await binDirectory(),
    HOME: homedir(),
    CRIU_PATH: criuPath(),
    // The mirror that this machine's npm is told in its environment.
    ...Object.fromEntries(
      Object.entries(process.env as Record<string, string>).filter(([name]) =>
        /^npm_config_|_proxy$|^NODE_EXTRA_CA_CERTS$|^SSL_CERT_/i.test(name),
      ),
    ),
  };
  await writeFile(join(project, 'package.json'), '{ "private": true }');
  const { path } = await pack(project);
  await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', path]);
});
afterAll(() => rm(project, { recursive: true, force: true }));

/** Node, npm and what CRIU calls: no compiler, no Python, no make. */
async function binDirectory(): Promise<string> {
  const bin = join(project, 'bin');
  await mkdir(bin);
  const names = ['npm', 'sh', 'env', 'sleep', 'iptables-restore', 'ip6tables-restore', 'nft', 'ip'];
  for (const name of names) {
    const { stdout } = await execa('bash', ['-c', 'type -P "$0"', name]);
    await symlink(stdout, join(bin, name));
  }
  await symlink(process.execPath, join(bin, 'node'));
  return bin;
}

async function run(file: string, args: readonly string[], more: { reject?: boolean } = {}) {
  return await execa(file, args, { cwd: project, env, extendEnv: false, ...more });
}

/** Runs a script in the project; what it says on standard error is a failure too. */
async function runScript(
  text: string,
  { type = 'mjs', node = process.execPath } = {},
): Promise<unknown> {
  const file = join(await mkdtemp(join(project, 'script-')), `script.${type}`);
  await writeFile(file, text);
  const { stdout, stderr } = await run(node, [file]);
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

test('there is no compiler, and the installed addon is the one that the package brings', async () => {
  for (const name of ['cc', 'gcc', 'c++', 'clang', 'make', 'python3', 'node-gyp']) {
    const { exitCode } = await run('sh', ['-c', `command -v ${name}`], { reject: false });
    expect({ name, exitCode }).not.toEqual({ name, exitCode: 0 });
  }
  const loaded = await runScript(`
    import { createRequire } from 'node:module';
    import { Criu } from 'node-criu';
    await new Criu().version();
    const { cache } = createRequire(import.meta.url);
    console.log(JSON.stringify(Object.keys(cache).filter((file) => file.endsWith('.node'))));`);
  const addon = 'node_modules/node-criu/prebuilds/linux-x64-glibc.node';
  expect(loaded).toEqual([join(project, addon)]);
});

describe.each(nodeMajors)('Node %i', (major) => {
  const ask = `
    new Criu().version().then(({ number }) => {
      console.log(JSON.stringify([process.versions.node.split('.')[0], number > 30000, CriuError.name]));
    });`;
  const answer = [String(major), true, 'CriuError'];

  test('import', async () => {
    const text = `import { Criu, CriuError } from 'node-criu';${ask}`;
    expect(await runScript(text, { node: nodePath(major) })).toEqual(answer);
  });

  test('require', async () => {
    const text = `const { Criu, CriuError } = require('node-criu');${ask}`;
    expect(await runScript(text, { node: nodePath(major), type: 'cjs' })).toEqual(answer);
  });
});

test('the demo runs', async () => {
  await cp(join(root, 'scripts/demo'), join(project, 'scripts/demo'), { recursive: true });
  await cp(join(root, 'scripts/criu-path.mjs'), join(project, 'scripts/criu-path.mjs'));
  const { stdout } = await run('node', ['scripts/demo/demo.mjs']);
  expect(stdout).toMatch(/counts requests: 1, 2, 3\n.*counts on: 4, 5\n/s);
});

test('what require() brings dumps and restores as well', async () => {
  await cp(join(root, 'test/fixtures/required.cjs'), join(project, 'required.cjs'));
  const { stdout, stderr } = await run('node', ['required.cjs', await temporaryDirectory()]);
  expect(stderr).toBe('');
  const { dumped, numbers, samePid } = JSON.parse(stdout);
  expect(samePid).toBe(true);
  expect(numbers.length).toBeGreaterThan(dumped);
  expect(numbers).toEqual(numbers.map((_: number, index: number) => index + 1));
});

test('the command is installed', async () => {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const { stdout } = await run('node_modules/.bin/node-criu', ['--version']);
  expect(stdout).toBe(version);
  const started = await run('node_modules/.bin/node-criu', ['run', '--', 'sleep', '0']);
  expect(Number(started.stdout)).toBeGreaterThan(0);
});

describe('on an unsupported platform', () => {
  const use = (prepare: string) => `
    ${prepare}
    const { Criu, CriuError, preflight, spawnCheckpointable } = await import('node-criu');
    const criu = new Criu({ path: '/no/criu' });
    const uses = [criu.version(), criu.dump(1, { imagesDirectory: '/tmp' }), preflight(process.pid),
      criu.restore({ imagesDirectory: '/tmp' }), spawnCheckpointable('sleep', ['0'])];
    const results = (await Promise.allSettled(uses)).map(({ reason }) => reason);
    if (results.some((error) => !(error instanceof CriuError))) throw results;
    console.log(JSON.stringify([...new Set(results.map(({ code, message }) => code + ' ' + message))]));`;
  const code = 'ERR_CRIU_UNSUPPORTED_PLATFORM';

  test.each(['arch:ppc64', 'platform:darwin'])('%s: at first use, not at import', async (other) => {
    const [name, value] = other.split(':');
    const text = `Object.defineProperty(process, '${name}', { value: '${value}' });`;
    const system = name === 'arch' ? `linux ${value}` : `${value} x64`;
    expect(await runScript(use(text))).toEqual([
      `${code} node-criu is for Linux on x64 and arm64, and this is ${system}`,
    ]);
  });

  test.each([
    ['without the addon', 'fs.rmSync(file)', 'lacks its addon linux-x64-glibc.node'],
    [
      'with the addon of another',
      `fs.copyFileSync(file.replace('x64', 'arm64'), file)`,
      'cannot load',
    ],
  ])('%s', async (_, change, message) => {
    const copy = join(project, 'node_modules/node-criu');
    const kept = join(copy, 'prebuilds.kept');
    await cp(join(copy, 'prebuilds'), kept, { recursive: true });
    try {
      const text = `
        import fs from 'node:fs';
        const file = ${JSON.stringify(join(copy, 'prebuilds/linux-x64-glibc.node'))};
        ${change};`;
      const results = await runScript(use(text));
      expect(results).toEqual([expect.stringContaining(`${code} node-criu ${message}`)]);
    } finally {
      await rm(join(copy, 'prebuilds'), { recursive: true });
      await cp(kept, join(copy, 'prebuilds'), { recursive: true });
    }
  });
});

describe('types', () => {
  const source = join(root, 'test/types');

  /** Compiles the tests of the types, as ESM (`mts`) or CommonJS (`cts`), after a change to them. */
  async function compile(type: string, change = (text: string) => text): Promise<string> {
    const directory = await mkdtemp(join(project, 'types-'));
    for (const name of await readdir(source)) {
      const text = await readFile(join(source, name), 'utf8');
      const file = name.replace(/ts$/, type);
      await writeFile(join(directory, file), change(text).replace('./same.ts', `./same.${type}`));
    }
    const config = {
      compilerOptions: {
        target: 'es2023',
        module: 'nodenext',
        strict: true,
        exactOptionalPropertyTypes: true,
        allowImportingTsExtensions: true,
        // The package's own declarations are checked, too.
        skipLibCheck: false,
        types: ['node'],
        typeRoots: [join(root, 'node_modules/@types')],
        noEmit: true,
      },
    };
    await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(root, 'node_modules/.bin/tsc');
    const { stdout } = await execa(tsc, ['-p', directory], { reject: false });
    return stdout;
  }

  test.each(['mts', 'cts'])('%s compiles against what is installed', async (type) => {
    expect(await compile(type)).toBe('');
  });

  test('and does not if a type is another', async () => {
    const change = (text: string) =>
      text
        .replace('frozenTimeMs, number>', 'frozenTimeMs, string>')
        .replace('asChild: true }', 'leaveRunning: true }')
        .replace("mode: 'lazy' }", "mode: 'hybrid' }");
    const lines = (await compile('mts', change)).split('\n').filter(Boolean);
    expect(lines).toEqual([
      expect.stringMatching(/moving\.mts.*Unused '@ts-expect-error' directive/),
      expect.stringMatching(/public\.mts.*Expected 1 arguments, but got 0/),
      expect.stringMatching(/public\.mts.*Unused '@ts-expect-error' directive/),
    ]);
  });
});
