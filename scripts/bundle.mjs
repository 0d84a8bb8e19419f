// Writes dist/, which is shipped as it is: the library and the command, one file of JavaScript each,
// since Node takes longer to find and link many modules than to run what is in them; the
// declarations that the library's refer to; and the licences of what the files have in them.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiled = join(root, 'build/js');
const target = join(root, 'dist');

/** What is installed beside the package, and loaded only where it is needed. */
const external = (id) => /^(node:|@grpc\/|commander$|log-update$)/.test(id);
/** The command is built on the library as others are: there is one CriuError for both. */
const door = {
  name: 'door',
  resolveId: (id) => (id === '../index.js' ? { id, external: true } : undefined),
};

const library = await bundle('index.js', []);
const command = await bundle('cli/main.js', [door]);
const files = new Map([
  ...declarations('index.d.ts'),
  ['LICENSES', licences([...library.moduleIds, ...command.moduleIds])],
  ['cli/main.js', command.code],
  // Last, since by its time it is seen whether the build is older than the source.
  ['index.js', library.code],
]);
for (const [name, text] of files) install(name, text);
removeOthers();

async function bundle(name, plugins) {
  const build = await rolldown({
    // In the comments are the names of the modules: as they are in any checkout.
    cwd: root,
    resolve: { symlinks: false },
    input: join(compiled, name),
    platform: 'node',
    external,
    plugins,
    onLog(level, { message }) {
      if (level === 'warn') throw new Error(message);
    },
  });
  const { output } = await build.generate({
    format: 'esm',
    codeSplitting: false,
    comments: { legal: true, jsdoc: false, annotation: false },
  });
  if (output.length !== 1) throw new Error(`${name} has become ${output.length} files`);
  return output[0];
}

/** The licences of the packages that the modules are from, as these ask for. */
function licences(modules) {
  const packageOf = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/;
  const directories = new Set(modules.flatMap((id) => packageOf.exec(id)?.[0] ?? []));
  return [...directories]
    .sort()
    .map(licence)
    .join(`\n${'-'.repeat(80)}\n\n`);
}

function licence(directory) {
  const { name, version, license } = JSON.parse(
    readFileSync(join(directory, 'package.json'), 'utf8'),
  );
  const text = readFileSync(join(directory, 'LICENSE'), 'utf8').trim();
  return `${name} ${version}, ${license}\n\n${text}\n`;
}

/** A declaration file, and those that it refers to: `[name, text]`. */
function declarations(name, found = new Map()) {
  if (found.has(name)) return found;
  const text = readFileSync(join(compiled, name), 'utf8');
  found.set(name, text);
  for (const [, specifier] of text.matchAll(/(?:from |import\()'(\.[^']+)'/g)) {
    const next = join(dirname(name), specifier.replace(/\.[jt]s$/, '.d.ts'));
    declarations(next, found);
  }
  return found;
}

/** Puts a file where others may be reading the one before. */
function install(name, text) {
  const path = join(target, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, text, { mode: name === 'cli/main.js' ? 0o755 : 0o644 });
  renameSync(`${path}.new`, path);
}

/** What an earlier build has left. */
function removeOthers() {
  for (const entry of readdirSync(target, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isDirectory() && !files.has(relative(target, path))) rmSync(path);
  }
}
