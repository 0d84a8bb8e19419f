// Writes dist/, which is shipped: JavaScript in few files, because Node takes longer to find and link many
// modules than to run them; the declarations of the library; and the licences of the bundled
// packages. The library is in two files: index.js, and on-demand.cjs with the rooms that most
// programs never use. These and the modules of Node are loaded at their first use.
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

/** Keeps one of the copies of its helpers for `using` that the compiler writes into each file. */
const sharedHelpers = () => {
  const pattern = /^var __addDisposableResource = .*?^var __disposeResources = .*?^\}\);\n/ms;
  const names = '{ __addDisposableResource, __disposeResources }';
  const shared = 'using-helpers.js';
  let helpers;
  return {
    name: 'shared-helpers',
    resolveId: (imported) => (imported === shared ? imported : undefined),
    load: (id) => (id === shared ? `${helpers}export ${names};` : undefined),
    transform(code, id) {
      const [found] = pattern.exec(code) ?? [];
      if (found === undefined || id === shared) return undefined;
      helpers ??= found;
      return code.replace(found, () => `import ${names} from '${shared}';\n`);
    },
  };
};

/** The modules that neither an import of the library nor a dump or restore that succeeds needs. */
const isOnDemand = (id) =>
  [
    /\/(migration|postcopy)\//,
    /\/precopy\/(?!estimate|policy|pre-copy)/,
    /\/preflight\/(?!restorable|checks\/(check|namespaces)\.)/,
    /\/netlink\/(?!message|nftables|socket)/,
    /\/images\/checkpoint\.js$/,
  ].some((pattern) => pattern.test(id.slice(compiled.length)));

/** Gives the exports of a module, which is loaded at the first use of one of them. */
const lazily = `\
const lazily = (load) => {
  let loaded;
  return new Proxy({}, { get: (_, name) => (loaded ??= load())[name] });
};
`;

/** The beginning of index.js. The text of on-demand.cjs is read at once, because later there may be no file descriptor. */
const libraryRequire = `${lazily}
const require = (id) => lazily(() => (id === './on-demand.cjs' ? loadOnDemand() : process.getBuiltinModule(id)));
const exports = {};
const onDemand = process.getBuiltinModule('node:url').fileURLToPath(new URL('on-demand.cjs', import.meta.url));
const onDemandText = process.getBuiltinModule('node:fs').readFileSync(onDemand);
function loadOnDemand() {
  const { compileFunction } = process.getBuiltinModule('node:vm');
  const names = ['require', 'exports', 'importModule'];
  const run = compileFunction(onDemandText.toString(), names, { filename: onDemand });
  const own = {};
  run((id) => (id === './index.js' ? exports : require(id)), own, (id) => import(id));
  return own;
}
`;

/** The beginning of cli/main.js. */
const commandRequire = `#!/usr/bin/env node
import * as library from '../index.js';
${lazily}
const require = (id) => {
  if (id === '../index.js') return library;
  if (id.startsWith('node:')) return lazily(() => process.getBuiltinModule(id));
  return process.getBuiltinModule('node:module').createRequire(import.meta.url)(id);
};
`;

const [grpc] = await generate('migration/protocol/grpc.js', [], {
  format: 'esm',
  codeSplitting: false,
});
const library = await bundleLibrary();
const command = await bundleCommand();
const modules = [grpc, library, command].flatMap(({ moduleIds }) => moduleIds);
const files = new Map([
  ...declarations('index.d.ts'),
  ['LICENSES', licences(modules)],
  ['grpc.js', grpc.code],
  ['cli/main.js', command.code],
  ['on-demand.cjs', library.onDemand],
  // Written last, because the set-up and the tests compare its time with that of the sources.
  ['index.js', library.index],
]);
for (const [name, text] of files) install(name, text);
removeOthers();

async function generate(name, plugins, options) {
  const build = await rolldown({
    // The comments name the modules by paths relative to the checkout.
    cwd: root,
    resolve: { symlinks: false },
    input: join(compiled, name),
    platform: 'node',
    external,
    plugins: [sharedHelpers(), ...plugins],
    // What includeDependenciesRecursively requires.
    preserveEntrySignatures: 'allow-extension',
    onLog(level, { message }) {
      if (level === 'warn') throw new Error(message);
    },
  });
  const comments = { legal: true, jsdoc: false, annotation: false };
  const { output } = await build.generate({ ...options, comments });
  return output;
}

/**
 * Bundles the library as CommonJS: Rolldown then writes each use of an import as a property of what
 * require() returns, so that a require() of our own can load the module at the first such use.
 */
async function bundleLibrary() {
  const plugins = [otherBundle(/\/grpc\.js$/, './grpc.js')];
  const [index, onDemand] = await generate('index.js', plugins, {
    format: 'cjs',
    chunkFileNames: '[name].cjs',
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [{ name: 'on-demand', test: isOnDemand }],
    },
  });
  const door = readFileSync(join(compiled, 'index.js'), 'utf8');
  const exported = [...door.matchAll(/export \{([^}]+)\}/g)].flatMap(([, names]) =>
    names.match(/\w+/g),
  );
  return {
    moduleIds: [...index.moduleIds, ...onDemand.moduleIds],
    index: `${libraryRequire}${asModule(index.code)}export { ${exported.join(', ')} };\n`,
    // Only the code of modules may call import().
    onDemand: `'use strict';\n${onDemand.code.replaceAll('import(', 'importModule(')}`,
  };
}

/** Bundles the command in the same way. */
async function bundleCommand() {
  const plugins = [otherBundle(/^\.\.\/index\.js$/, '../index.js')];
  const [{ code, moduleIds }] = await generate('cli/main.js', plugins, {
    format: 'cjs',
    codeSplitting: false,
  });
  return { moduleIds, code: `${commandRequire}${asModule(code)}` };
}

/** Turns CommonJS into the body of an ES module. */
function asModule(code) {
  return code
    .replace(/^#!.*\n/, '')
    .replace(/^Object\.defineProperty\(exports, Symbol\.toStringTag.*\n/, '')
    .replaceAll('require("url").pathToFileURL(__filename).href', 'import.meta.url');
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
