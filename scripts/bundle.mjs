// Writes dist/, which is shipped: JavaScript in few files, because Node takes longer to find and link many
// modules than to run them; the declarations of the library; and the licences of the bundled
// packages. The library is in three files: index.js has the public classes and functions; library.cjs what
// they share, which is run at their first use with the code that V8 has cached for it (see code-cache.mjs);
// and on-demand.cjs the rooms that most programs never use. Modules of Node are loaded at their first use too.
// images.js is what `node-criu/images` imports; it shares only the class of errors with the library, as does containers.js,
// which `node-criu/containers` imports. report.js is what
// `node-criu/report` imports; it is built on these two. fleet.js is what `node-criu/fleet` imports, built on the library and on containers.js; the page that it serves is in fleet-page/. guest.js is what `node-criu/guest` imports, which shares nothing,
// because programs load it that do not use the library.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiled = join(root, 'build/js');
const target = join(root, 'dist');

/** The dependencies of the package, its optional peers included. */
const external = (id) =>
  /^(node:|(@bull-board\/.*|bullmq|commander|ioredis|log-update|redis-semaphore)$)/.test(id);

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

/** Takes the class of errors from the library, so that there is only one; the functions beside it are copied. */
const sharedErrors = {
  name: 'shared-errors',
  transform(code, id) {
    if (nameOf(id) !== '/errors.js') return undefined;
    const pattern = /^export class CriuError .*?^\}$/ms;
    if (!pattern.test(code)) throw new Error('src/errors.ts no longer has the class CriuError');
    return code.replace(pattern, "import { CriuError } from './index.js';\nexport { CriuError };");
  },
};

/** Loads the packages of a fleet as CommonJS, which takes a quarter off the time that Node needs to load all of fleet.js. */
const requiredPeers = {
  name: 'required-peers',
  renderChunk: (code) =>
    code.replace(
      /^import (\{.*\}) from "(bullmq|ioredis|redis-semaphore)";$/gm,
      (_, names, id) =>
        `const ${names.replaceAll(' as ', ': ')} = process.getBuiltinModule("node:module").createRequire(import.meta.url)("${id}");`,
    ),
};

const nameOf = (id) => id.slice(compiled.length);

/** The modules that neither an import of the library nor a dump or restore that succeeds needs. */
const isOnDemand = (id) =>
  [
    /\/(migration|postcopy)\//,
    /\/stream\/(?!decode-stream)/,
    /\/copies\/(?!template-pool|copy-destination)/,
    /\/store\/(?!checkpoint-store)/,
    /\/precopy\/(?!estimate|policy|pre-copy)/,
    /\/preflight\/(?!restorable|checks\/(check|namespaces)\.)/,
    /\/netlink\/(?!message|nftables|socket)/,
    /\/guest\//,
    /\/images\/(checkpoint|decode-image|encode-image|image-cursor|image-layouts|payload)\.js$/,
    /\/generated\/images\/(?!stats|pagemap)/,
  ].some((pattern) => pattern.test(nameOf(id)));

/** The modules that have the public classes and functions. */
const isPublic = (id) =>
  [
    /^\/(index|criu|errors|diagnostics|short-forms)\.js$/,
    /^\/concurrency\/rate-limit\.js$/,
    /^\/images\/(stats|verify)\.js$/,
    /^\/copies\/(copy-destination|template-pool)\.js$/,
    /^\/launch\/(checkpointable-process|launch)\.js$/,
    /^\/precopy\/pre-copy\.js$/,
    /^\/process\/process-handle\.js$/,
    /^\/store\/checkpoint-store\.js$/,
    /^\/stream\/decode-stream\.js$/,
  ].some((pattern) => pattern.test(nameOf(id)));

/** Gives the exports of a module, which is loaded at the first use of one of them. */
const lazily = `\
const lazily = (load) => {
  let loaded;
  return new Proxy({}, { get: (_, name) => (loaded ??= load())[name] });
};
`;

/**
 * The beginning of index.js. The texts of the other files are read at once, because later there may be no file
 * descriptor. V8 refuses cached code of another version.
 */
const libraryRequire = (hash) => `\
${lazily}
const exports = {};
const parts = {
  './index.js': exports,
  './library.cjs': part('library.cjs', 'code-cache/${hash}-'),
  './on-demand.cjs': part('on-demand.cjs'),
};
const require = (id) => parts[id] ?? lazily(() => process.getBuiltinModule(id));
function part(name, cache) {
  const { readFileSync } = process.getBuiltinModule('node:fs');
  const filename = process.getBuiltinModule('node:url').fileURLToPath(new URL(name, import.meta.url));
  const text = readFileSync(filename);
  return lazily(() => {
    const own = {};
    const { Script } = process.getBuiltinModule('node:vm');
    const cachedData = cache && cachedCode(cache);
    const script = new Script(text.latin1Slice(), { filename, cachedData });
    script.runInThisContext()(require, own, import.meta.url, (id) => import(new URL(id, import.meta.url).href));
    return own;
  });
}
function cachedCode(prefix) {
  const { arch, versions } = process;
  try {
    const { readFileSync } = process.getBuiltinModule('node:fs');
    return readFileSync(new URL(\`\${prefix}\${arch}-\${versions.v8}\`, import.meta.url));
  } catch {
    return undefined;
  }
}
`;

/** The beginning of guest.js. */
const guestRequire = `\
${lazily}
const exports = {};
const require = (id) => lazily(() => process.getBuiltinModule(id));
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
  // It is the largest file by far, and nobody reads it here.
  minify: { compress: false, mangle: false, codegen: true },
});
const imagesPlugins = [sharedErrors, otherBundle(/^\.\/index\.js$/, './index.js')];
const [images] = await generate('images.js', imagesPlugins, {
  format: 'esm',
  codeSplitting: false,
});
const [containers] = await generate('containers.js', imagesPlugins, {
  format: 'esm',
  codeSplitting: false,
});
const fleetPlugins = [
  sharedErrors,
  otherBundle(/^(\.\.?\/)+index\.js$/, './index.js'),
  otherBundle(/^(\.\.\/)+containers\.js$/, './containers.js'),
  requiredPeers,
];
const [fleet] = await generate('fleet.js', fleetPlugins, {
  format: 'esm',
  codeSplitting: false,
});
const guest = await bundleGuest();
const reportPlugins = [
  otherBundle(/^\.\.\/index\.js$/, './index.js'),
  otherBundle(/^\.\.\/images\.js$/, './images.js'),
];
const [report] = await generate('report.js', reportPlugins, {
  format: 'esm',
  codeSplitting: false,
});
const library = await bundleLibrary();
const command = await bundleCommand();
const modules = [grpc, guest, images, containers, fleet, report, library, command].flatMap(
  ({ moduleIds }) => moduleIds,
);
const files = new Map([
  ...declarations('index.d.ts'),
  ...declarations('guest.d.ts'),
  ...declarations('containers.d.ts'),
  ...declarations('fleet.d.ts'),
  ...declarations('images.d.ts'),
  ...declarations('report.d.ts'),
  ['LICENSES', licences(modules)],
  ['grpc.js', grpc.code],
  ['guest.js', guest.code],
  ['containers.js', containers.code],
  ['fleet.js', fleet.code],
  ...fleetPage(),
  ['images.js', images.code],
  ['report.js', report.code],
  ['cli/main.js', command.code],
  ['on-demand.cjs', library.onDemand],
  ['library.cjs', library.shared],
  // Written last, because the set-up and the tests compare its time with that of the sources.
  ['index.js', library.index],
]);
// First of all the cached code, which belongs to the text that is about to be replaced.
removeOthers();
for (const [name, text] of files) install(name, text);

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
  const chunks = await generate('index.js', plugins, {
    format: 'cjs',
    chunkFileNames: '[name].cjs',
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [
        { name: 'on-demand', test: isOnDemand },
        { name: 'library', test: (id) => !isPublic(id) },
      ],
    },
  });
  const chunk = (name) => chunks.find(({ fileName }) => fileName === name);
  const shared = asFunction(chunk('library.cjs').code);
  const hash = createHash('sha256').update(shared).digest('hex').slice(0, 16);
  const code = asModule(chunk('index.js').code);
  return {
    moduleIds: chunks.flatMap(({ moduleIds }) => moduleIds),
    index: `${libraryRequire(hash)}${code}${exportsOf('index.js')}`,
    shared,
    onDemand: asFunction(chunk('on-demand.cjs').code),
  };
}

/** Bundles the library for programs that are checkpointed. */
async function bundleGuest() {
  const [{ code, moduleIds }] = await generate('guest.js', [], {
    format: 'cjs',
    codeSplitting: false,
  });
  return { moduleIds, code: `${guestRequire}${asModule(code)}${exportsOf('guest.js')}` };
}

/** The declaration of the exports of an entry. */
function exportsOf(name) {
  const door = readFileSync(join(compiled, name), 'utf8');
  const lists = [...door.matchAll(/export \{([^}]+)\}/g)].flatMap(([, names]) =>
    names.match(/\w+/g),
  );
  const functions = [...door.matchAll(/export (?:async )?function (\w+)/g)].map(([, each]) => each);
  return `export { ${[...lists, ...functions].join(', ')} };\n`;
}

/** Bundles the command in the same way. */
async function bundleCommand() {
  const plugins = [
    otherBundle(/^\.\.\/index\.js$/, '../index.js'),
    otherBundle(/^\.\.\/images\.js$/, '../images.js'),
    otherBundle(/^\.\.\/report\.js$/, '../report.js'),
    otherBundle(/^\.\.\/containers\.js$/, '../containers.js'),
    otherBundle(/^\.\.\/fleet\.js$/, '../fleet.js'),
  ];
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

/** Turns CommonJS into a function, with one byte for each character. Only modules may call import(). */
function asFunction(code) {
  const body = asModule(code)
    .replaceAll('import.meta.url', 'moduleUrl')
    .replaceAll('import(', 'importModule(')
    .replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `(function (require, exports, moduleUrl, importModule) { 'use strict';\n${body}})\n`;
}

/** The files of the page about a fleet, which are shipped as they are. */
function fleetPage() {
  const directory = join(root, 'src/fleet/dashboard/fleet-page');
  return readdirSync(directory).map((name) => [
    `fleet-page/${name}`,
    readFileSync(join(directory, name), 'utf8'),
  ]);
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
  mkdirSync(target, { recursive: true });
  for (const entry of readdirSync(target, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isDirectory() && !files.has(relative(target, path))) rmSync(path);
  }
}
