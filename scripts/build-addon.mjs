#!/usr/bin/env node
// Builds the addon for the running Node into build/, with the machine's C compiler. A checkout uses it
// for its own addon; it is shipped as well, as `node-criu build-addon`, for platforms without a
// prebuilt addon. CC and CFLAGS work as in make.
//
// usage: build-addon.mjs [--if-stale | --flags]
//   --if-stale  do nothing if the addon is newer than its sources
//   --flags     print the flags that every build of the addon needs, one per line
import { execFile } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const sourceDirectory = join(root, 'src/native');
const buildDirectory = join(root, 'build');

/**
 * - `-z nodelete`: a thread of the addon can outlive the worker that loaded it (see process.c).
 * - `-z now`: the spawned child shares our memory, and must not run the dynamic linker there.
 */
export const flags = [
  ...['-std=c11', '-O2', '-fPIC', '-fvisibility=hidden', '-Wall', '-Wextra'],
  ...['-shared', '-pthread', '-Wl,-z,nodelete,-z,now,-z,relro'],
];

/** Builds the addon and resolves with its path. */
export async function buildAddon() {
  const file = await addonFile();
  const headers = await headerDirectory();
  await mkdir(buildDirectory, { recursive: true });
  const temporary = await mkdtemp(join(buildDirectory, '.addon-'));
  try {
    const output = join(temporary, 'addon.node');
    const more = (process.env.CFLAGS ?? '').split(/\s+/).filter(Boolean);
    const sources = (await sourceFiles()).filter((path) => path.endsWith('.c'));
    await compile([...flags, ...more, '-isystem', headers, ...sources, '-o', output]);
    await chmod(output, 0o755);
    // Another process may have the previous file loaded.
    await rename(output, file);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return file;
}

async function compile(args) {
  const compiler = process.env.CC || 'cc';
  try {
    const { stderr } = await run(compiler, args);
    process.stderr.write(stderr);
  } catch (error) {
    if (error.code === 'ENOENT') {
      const message = `there is no C compiler ${compiler}; install gcc or clang, or set CC`;
      throw new Error(message, { cause: error });
    }
    process.stderr.write(error.stderr ?? '');
    throw new Error(`${compiler} cannot compile the addon: ${error.message.split('\n')[0]}`, {
      cause: error,
    });
  }
}

/** The name under which src/native/index.ts looks for the addon. */
async function addonFile() {
  if (process.platform !== 'linux') throw new Error('the addon is for Linux only');
  const maps = await readFile('/proc/self/maps', 'latin1');
  const libc = maps.includes('/ld-musl-') ? 'musl' : 'glibc';
  return join(buildDirectory, `linux-${process.arch}-${libc}.node`);
}

/** Where Node's headers are: in its own release, or in a package of the distribution. */
async function headerDirectory() {
  const candidates = [
    ...(await configuredDirectory()),
    join(dirname(process.execPath), '../include/node'),
    '/usr/local/include/node',
    '/usr/include/node',
  ];
  const found = candidates.find((directory) => existsSync(join(directory, 'node_api.h')));
  if (found !== undefined) return found;
  throw new Error(
    `there is no node_api.h for Node ${process.version}; install Node's headers (libnode-dev on ` +
      'Debian, nodejs-dev on Alpine), or unpack a release of Node and set npm_config_nodedir to it',
  );
}

/** What npm's option `nodedir` names: npm sets the variable for what it runs. */
async function configuredDirectory() {
  let directory = process.env.npm_config_nodedir;
  directory ??= await run('npm', ['config', 'get', 'nodedir']).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
  return directory && directory !== 'undefined' ? [join(directory, 'include/node')] : [];
}

async function sourceFiles() {
  const names = await readdir(sourceDirectory);
  return names.filter((name) => /\.[ch]$/.test(name)).map((name) => join(sourceDirectory, name));
}

async function isStale() {
  const modified = async (path) => (await stat(path)).mtimeMs;
  const built = await modified(await addonFile()).catch(() => 0);
  const sources = [...(await sourceFiles()), fileURLToPath(import.meta.url)];
  return Math.max(...(await Promise.all(sources.map(modified)))) > built;
}

async function main(option) {
  if (option === '--flags') console.log(flags.join('\n'));
  else if (option !== '--if-stale' || (await isStale())) console.log(`built ${await buildAddon()}`);
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await main(process.argv[2]).catch((error) => {
    console.error(`build-addon: ${error.message}`);
    process.exitCode = 1;
  });
}
