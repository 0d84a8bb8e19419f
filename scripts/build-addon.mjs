#!/usr/bin/env node
// Builds the addon for the running Node, the lazy-pages daemon and the launcher into build/, with the machine's C
// compiler. A checkout uses it for its own; it is shipped as well, as `node-criu build-addon`, for
// platforms without a prebuilt addon. CC and CFLAGS work as in make.
//
// usage: build-addon.mjs [--if-stale | --flags | --program-flags]
//   --if-stale       do nothing if all are newer than their sources
//   --flags          print the flags that every build of the addon needs, one per line
//   --program-flags  the same for the programs
import { execFile } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const addonDirectory = join(root, 'src/native');
/** The programs beside the addon: directories of sources, and the ends of the names under which built-files.ts finds them. */
const programs = ['lazy-pages', 'launcher'];
const buildDirectory = join(root, 'build');

const language = ['-std=c11', '-O2', '-Wall', '-Wextra'];
export const programFlags = [...language, '-D_GNU_SOURCE'];
/**
 * - `-z nodelete`: a thread of the addon can outlive the worker that loaded it (see process.c).
 * - `-z now`: the spawned child shares our memory, and must not run the dynamic linker there.
 */
export const flags = [
  ...language,
  ...['-fPIC', '-fvisibility=hidden'],
  ...['-shared', '-pthread', '-Wl,-z,nodelete,-z,now,-z,relro'],
];

/** Builds the addon and the programs, and resolves with the path of the addon. */
export async function buildAddon() {
  const file = await addonFile();
  const headers = await headerDirectory();
  for (const name of programs) {
    const sources = await sourcesIn(join(addonDirectory, name));
    await build(programFile(name), [...programFlags, ...sources]);
  }
  await build(file, [...flags, '-isystem', headers, ...(await sourcesIn(addonDirectory))]);
  return file;
}

async function build(file, args) {
  await mkdir(buildDirectory, { recursive: true });
  const temporary = await mkdtemp(join(buildDirectory, '.addon-'));
  try {
    const output = join(temporary, 'output');
    const more = (process.env.CFLAGS ?? '').split(/\s+/).filter(Boolean);
    await compile(basename(file), [...more, ...args, '-o', output]);
    await chmod(output, 0o755);
    // Another process may have the previous file loaded.
    await rename(output, file);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function compile(name, args) {
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
    throw new Error(`${compiler} cannot compile ${name}: ${error.message.split('\n')[0]}`, {
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

/** The name under which src/native/built-files.ts looks for a program. */
function programFile(name) {
  return join(buildDirectory, `linux-${process.arch}-${name}`);
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

async function sourcesIn(directory, pattern = /\.c$/) {
  const names = await readdir(directory);
  return names.filter((name) => pattern.test(name)).map((name) => join(directory, name));
}

async function isStale() {
  const modified = async (path) => (await stat(path)).mtimeMs;
  const outputs = [await addonFile(), ...programs.map(programFile)];
  const built = outputs.map((path) => modified(path).catch(() => 0));
  const directories = [addonDirectory, ...programs.map((name) => join(addonDirectory, name))];
  const sources = directories.map((path) => sourcesIn(path, /\.[ch]$/));
  const files = [...(await Promise.all(sources)).flat(), fileURLToPath(import.meta.url)];
  const changed = await Promise.all(files.map(modified));
  return Math.max(...changed) > Math.min(...(await Promise.all(built)));
}

async function main(option) {
  if (option === '--flags') console.log(flags.join('\n'));
  else if (option === '--program-flags') console.log(programFlags.join('\n'));
  else if (option !== '--if-stale' || (await isStale())) console.log(`built ${await buildAddon()}`);
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await main(process.argv[2]).catch((error) => {
    console.error(`build-addon: ${error.message}`);
    process.exitCode = 1;
  });
}
