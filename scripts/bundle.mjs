// Writes dist/, which is shipped: one file of JavaScript each for the library, for gRPC and for the
// command, because Node takes longer to find and link many modules than to run them; the declarations
// of the library; and the licences of the bundled packages.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiled = join(root, 'build/js');
const target = join(root, 'dist');

/** The dependencies of the package. */
const external = (id) => /^(node:|commander$|log-update$)/.test(id);

/** Keeps an import of another bundle. The library loads gRPC at the first migration, and the
 * command shares the library's classes with programs. */
const otherBundle = (pattern, id) => ({
  name: 'other-bundle',
  resolveId: (imported) => (pattern.test(imported) ? { id, external: true } : undefined),
});

const grpc = await bundle('migration/protocol/grpc.js', []);
const library = await bundle('index.js', [otherBundle(/\/grpc\.js$/, './grpc.js')]);
const command = await bundle('cli/main.js', [otherBundle(/^\.\.\/index\.js$/, '../index.js')]);
const files = new Map([
  ...declarations('index.d.ts'),
  ['LICENSES', licences([grpc, library, command].flatMap(({ moduleIds }) => moduleIds))],
  ['grpc.js', grpc.code],
  ['cli/main.js', command.code],
  // Written last, because the set-up and the tests compare its time with that of the sources.
  ['index.js', library.code],
]);
for (const [name, text] of files) install(name, text);
removeOthers();

async function bundle(name, plugins) {
  const build = await rolldown({
    // The comments name the modules by paths relative to the checkout.
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
  if (output.length !== 1) throw new Error(`${name} was bundled into ${output.length} files`);
  return output[0];
}

/** The licences of the packages that the modules belong to. */
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

/** A declaration file and those that it imports, directly or indirectly, by name. */
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

/** Replaces a file atomically, because other processes may read it. */
function install(name, text) {
  const path = join(target, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, text, { mode: name === 'cli/main.js' ? 0o755 : 0o644 });
  renameSync(`${path}.new`, path);
}

/** Removes the files of earlier builds. */
function removeOthers() {
  for (const entry of readdirSync(target, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isDirectory() && !files.has(relative(target, path))) rmSync(path);
  }
}
