import {
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { criuPath } from '../../scripts/criu-path.mjs';
import { nodeMajors, nodePath } from '../helpers/node-versions.ts';
import { codeBlocks, pages } from '../helpers/pages.ts';
import { pack, root } from '../helpers/tarball.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

/** A project outside the checkout, with only the package, and a PATH with only what it needs. */
let project: string;
let env: Record<string, string>;
/** The registry and the proxy that the environment configures, and their authorities, which Node reads at each start. */
const network = Object.fromEntries(
  Object.entries(process.env as Record<string, string>).filter(([name]) =>
    /^npm_config_|_proxy$|^NODE_EXTRA_CA_CERTS$|^SSL_CERT_/i.test(name),
  ),
);
beforeAll(async () => {
  project = await realpath(await mkdtemp(join(tmpdir(), 'node-criu-project-')));
  env = {
    PATH: await binDirectory(),
    HOME: homedir(),
    CRIU_PATH: criuPath(),
  };
  await writeFile(join(project, 'package.json'), '{ "private": true }');
  const { path } = await pack(project);
  await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', path], {
    more: network,
  });
});
afterAll(() => rm(project, { recursive: true, force: true }));

/** Links to Node, npm and what CRIU calls: no compiler, no Python, no make. */
async function binDirectory(): Promise<string> {
  const bin = join(project, 'bin');
  await mkdir(bin);
  const names = [
    'npm',
    'npx',
    'sh',
    'env',
    'sleep',
    'iptables-restore',
    'ip6tables-restore',
    'nft',
    'ip',
  ];
  for (const name of names) {
    const { stdout } = await execa('bash', ['-c', 'type -P "$0"', name]);
    await symlink(stdout, join(bin, name));
  }
  await symlink(process.execPath, join(bin, 'node'));
  return bin;
}

async function run(
  file: string,
  args: readonly string[],
  { more, reject = true }: { more?: Record<string, string>; reject?: boolean } = {},
) {
  const options = { cwd: project, env: { ...env, ...more }, extendEnv: false, reject };
  return await execa(file, args, options);
}

/** Runs a script in the project and parses its output; any standard error is a failure. */
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

test('a machine without a compiler loads a prebuilt addon', async () => {
  for (const name of ['cc', 'gcc', 'c++', 'clang', 'make', 'python3', 'node-gyp']) {
    const { exitCode } = await run('sh', ['-c', `command -v ${name}`], { reject: false });
    expect({ name, exitCode }).not.toEqual({ name, exitCode: 0 });
  }
  expect(await loadedAddons()).toEqual([join(installed(), 'prebuilds/linux-x64-glibc.node')]);
});

test('stack traces do not show where the package was built', async () => {
  const stack = await runScript(`
    import { Criu } from 'node-criu';
    const error = await new Criu().dump(0x7ffffff, { imagesDirectory: 'none' }).catch((error) => error);
    console.log(JSON.stringify(error.stack));`);
  expect(stack).toContain('node-criu/dist/');
  expect(stack).not.toContain(root);
});

const installed = () => join(project, 'node_modules/node-criu');

/** The addons that a program loads to use CRIU. */
async function loadedAddons(): Promise<unknown> {
  return await runScript(`
    import { createRequire } from 'node:module';
    import { Criu } from 'node-criu';
    await new Criu().version();
    const { cache } = createRequire(import.meta.url);
    console.log(JSON.stringify(Object.keys(cache).filter((file) => file.endsWith('.node'))));`);
}

/** Runs a test with other prebuilt addons than those that are shipped. */
async function withPrebuilds(
  change: (prebuilds: string) => Promise<void>,
  body: () => Promise<void>,
): Promise<void> {
  const prebuilds = join(installed(), 'prebuilds');
  const backup = join(installed(), 'prebuilds.backup');
  await cp(prebuilds, backup, { recursive: true });
  try {
    await change(prebuilds);
    await body();
  } finally {
    await rm(prebuilds, { recursive: true, force: true });
    await rename(backup, prebuilds);
  }
}

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

test('no installed package has an install script', async () => {
  const lock = await readFile(join(project, 'node_modules/.package-lock.json'), 'utf8');
  const packages = Object.entries<{ hasInstallScript?: true }>(JSON.parse(lock).packages);
  expect(packages.map(([path]) => path)).toEqual(
    expect.arrayContaining(['node_modules/commander', 'node_modules/node-criu']),
  );
  expect(packages.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([]);
});

test('the demo runs', async () => {
  await cp(join(root, 'scripts/demo'), join(project, 'scripts/demo'), { recursive: true });
  await cp(join(root, 'scripts/criu-path.mjs'), join(project, 'scripts/criu-path.mjs'));
  const { stdout } = await run('node', ['scripts/demo/demo.mjs']);
  expect(stdout).toMatch(/counts requests: 1, 2, 3\n.*continues to count: 4, 5\n/s);
});

test('a CommonJS program dumps and restores', async () => {
  await cp(join(root, 'test/fixtures/required.cjs'), join(project, 'required.cjs'));
  const { stdout, stderr } = await run('node', ['required.cjs', await temporaryDirectory()]);
  expect(stderr).toBe('');
  const { dumped, numbers, samePid } = JSON.parse(stdout);
  expect(samePid).toBe(true);
  expect(numbers.length).toBeGreaterThan(dumped);
  expect(numbers).toEqual(numbers.map((_: number, index: number) => index + 1));
});

test('the command runs', async () => {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const { stdout } = await run('node_modules/.bin/node-criu', ['--version']);
  expect(stdout).toBe(version);
  const started = await run('node_modules/.bin/node-criu', ['run', '--', 'sleep', '1000']);
  const pid = Number(started.stdout);
  expect(pid).toBeGreaterThan(0);
  process.kill(pid);
});

describe('samples run as they are written', async () => {
  const samples = (await pages()).flatMap((page) => {
    // The commands of the other page are among those of the README.
    const languages = { 'README.md': ['js', 'sh'], 'docs/getting-started.md': ['js'] }[page.path];
    return codeBlocks(page, languages ?? []).filter(({ code }) => code.includes('app.js'));
  });

  test.each(samples)('$place', async ({ language, code }) => {
    const directory = await mkdtemp(join(project, 'sample-'));
    const [file, program] = language === 'js' ? ['sample.mjs', 'node'] : ['sample.sh', 'sh -e'];
    await writeFile(join(directory, file), code);
    const server =
      "require('node:http').createServer((_, answer) => answer.end('up')).listen(8080)";
    const app = `setInterval(() => console.log('up'), 10);\n${server};\n`;
    await writeFile(join(directory, 'app.js'), app);
    // The installed command, without the seconds that npx takes to find it; the test of build-addon uses npx itself.
    const npx = `#!/bin/sh\ncommand=$1; shift\nexec "${project}/node_modules/.bin/$command" "$@"\n`;
    await writeFile(join(directory, 'npx'), npx, { mode: 0o755 });
    // Leaves neither files in /var/lib nor processes, and has port 8080 for itself.
    const namespaces = ['--mount', '--net', '--pid', '--fork', '--mount-proc', '--kill-child'];
    const script = `ip link set lo up && mount -t tmpfs none /var/lib && ${program} ${file}`;
    const { all } = await execa('unshare', [...namespaces, 'sh', '-c', script], {
      ...{ cwd: directory, all: true, extendEnv: false },
      env: { ...env, PATH: `${directory}:${env.PATH}:/usr/bin:/bin:/usr/sbin:/sbin` },
    });
    const said = /(process \d+ runs again|http:\/\/127\.0\.0\.1:\d+\/)$/;
    expect(all).toMatch(language === 'js' ? said : /^\d+$/m);
  });
});

test('the commands of the guide to migration run as they are written', async () => {
  const directory = await mkdtemp(join(project, 'migration-'));
  const guide = (await pages()).filter(({ path }) => path === 'docs/migration.md');
  const blocks = guide.flatMap((page) => codeBlocks(page, ['sh'])).map(({ code }) => code);
  for (const command of ['cert', 'serve', 'migrate']) {
    const code = blocks.find((block) => block.startsWith(`npx node-criu ${command} `)) ?? '';
    await writeFile(join(directory, `${command}.sh`), code);
  }
  const listen = "listen(8080, '192.0.2.9', () => console.log('up'))";
  await writeFile(join(directory, 'app.js'), `require('node:http').createServer().${listen};\n`);
  await copyFile(join(root, 'test/fixtures/two-hosts.sh'), join(directory, 'two-hosts.sh'));
  const hosts = ['--mount', '--net', '--pid', '--fork', '--mount-proc', '--kill-child'];
  const { stdout } = await execa('unshare', [...hosts, 'bash', 'two-hosts.sh'], {
    ...{ cwd: directory, extendEnv: false },
    env: { ...env, PATH: `${env.PATH}:/usr/bin:/bin:/usr/sbin:/sbin` },
  });
  expect(stdout).toMatch(/process \d+ runs on 192\.0\.2\.2: /);
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
  const remedy = 'to build one with a C compiler, run: npx node-criu build-addon';

  test.each([
    ['arch', 's390x', `node-criu has no addon linux-s390x-glibc.node; ${remedy}`],
    ['platform', 'darwin', 'node-criu needs Linux, not darwin'],
  ])('%s %s: the first use fails, the import does not', async (name, value, message) => {
    const text = `Object.defineProperty(process, '${name}', { value: '${value}' });`;
    expect(await runScript(use(text))).toEqual([`${code} ${message}`]);
  });

  const addonOf = (arch: string) => `linux-${arch}-glibc.node`;

  test('the addon of another architecture cannot be loaded', async () => {
    await withPrebuilds(
      (prebuilds) => copyFile(join(prebuilds, addonOf('arm64')), join(prebuilds, addonOf('x64'))),
      async () => {
        const message = `${code} node-criu cannot load its addon: `;
        expect(await runScript(use(''))).toEqual([
          expect.toSatisfy((text) => text.startsWith(message) && text.endsWith(`; ${remedy}`)),
        ]);
      },
    );
  });

  test('without a prebuilt addon, the command that the error names builds one', async () => {
    const build = async (more: Record<string, string>) =>
      await run('npx', ['node-criu', 'build-addon'], {
        more: { ...network, ...more },
        reject: false,
      });
    await withPrebuilds(
      (prebuilds) => rm(join(prebuilds, addonOf('x64'))),
      async () => {
        const message = `${code} node-criu has no addon ${addonOf('x64')}; ${remedy}`;
        expect(await runScript(use(''))).toEqual([message]);
        expect(await build({})).toMatchObject({
          exitCode: 1,
          stderr: 'node-criu: there is no C compiler cc; install gcc or clang, or set CC',
        });

        const built = join(installed(), 'build', addonOf('x64'));
        const headers = join(dirname(await realpath(process.execPath)), '..');
        const path = `${env.PATH}:/usr/bin:/bin`;
        expect(await build({ PATH: path, npm_config_nodedir: headers })).toMatchObject({
          exitCode: 0,
          stdout: built,
          stderr: '',
        });
        expect(await loadedAddons()).toEqual([built]);
        expect((await readdir(dirname(built))).sort()).toEqual([
          addonOf('x64'),
          'linux-x64-launcher',
          'linux-x64-lazy-pages',
        ]);
        await rm(dirname(built), { recursive: true });
      },
    );
  });
});

describe('types', () => {
  const source = join(root, 'test/types');

  // A program that uses a fleet has the packages whose types the declarations name.
  beforeAll(async () => {
    const text = await readFile(join(root, 'package.json'), 'utf8');
    const { peerDependencies } = JSON.parse(text) as { peerDependencies: Record<string, string> };
    const peers = ['bullmq', 'ioredis'].map((name) => `${name}@${peerDependencies[name]}`);
    await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...peers], {
      more: network,
    });
  });

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
        // Check the declarations of the package as well.
        skipLibCheck: false,
        types: ['node'],
        typeRoots: [join(root, 'node_modules/@types')],
        noEmit: true,
      },
    };
    await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(root, 'scripts/tsc.sh');
    const { stdout } = await execa('bash', [tsc, '-p', directory], { reject: false });
    return stdout;
  }

  test.each(['mts', 'cts'])(
    'a program in %s compiles against the installed declarations',
    async (type) => {
      expect(await compile(type)).toBe('');
    },
  );

  test('a program that expects other types does not compile', async () => {
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
