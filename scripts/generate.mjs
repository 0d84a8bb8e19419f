// Writes src/generated/: from proto/ the fields of CRIU's messages (messages.ts), the description of our own
// service for gRPC (migration.ts) and the types of all messages (types/), and from src/options/ what
// the command needs to know of each option for its flags and help (help.ts).
//
//   node scripts/generate.mjs [--check] [DIRECTORY]
//
// --check writes nothing: it names the files that differ and exits with 1 if there are any.
// DIRECTORY takes the place of src/generated.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import protobuf from 'protobufjs';
import { rolldown } from 'rolldown';
import { summary } from './reference.mjs';

const project = fileURLToPath(new URL('..', import.meta.url));
// Relative, since both generators copy the paths into their output.
const protos = ['rpc', 'stats', 'pagemap', 'images'].map((name) => `proto/${name}.proto`);
const service = 'proto/migration.proto';
const header = '// Written by scripts/generate.mjs from proto/. Do not edit.\n';

const { values, positionals } = parseArgs({
  options: { check: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const target = resolve(positionals[0] ?? join(project, 'src/generated'));

const scratch = mkdtempSync(join(tmpdir(), 'node-criu-generate-'));
try {
  writeFileSync(join(scratch, 'messages.ts'), messageTypes());
  writeTypes(join(scratch, 'types'));
  writeService(scratch);
  writeFileSync(join(scratch, 'help.ts'), help(await optionTable(scratch)));
  process.exitCode = values.check ? compare() : install();
} finally {
  rmSync(scratch, { recursive: true });
}

function definitions() {
  const paths = protos.map((proto) => join(project, proto));
  return new protobuf.Root().loadSync(paths, { keepCase: true }).resolveAll().nestedArray;
}

/** The tables with which src/protobuf/ encodes and decodes, each after those that it refers to. */
function messageTypes() {
  const written = new Map();
  for (const definition of definitions()) write(definition);
  const names = [...written.keys()].filter((name) => !written.get(name).isEnum);
  const imports = names.map(
    (name) => `import type { ${name}__Output } from './types/${name}.ts';\n`,
  );
  const tables = [...written.values()].map(({ text }) => text);
  return `${header}import type { EnumType, MessageType } from '../protobuf/message-type.ts';
${imports.join('')}
${tables.join('\n')}`;

  function write(definition) {
    const { name, fieldsArray } = definition;
    if (written.has(name)) return;
    const isEnum = definition instanceof protobuf.Enum;
    for (const { resolvedType } of fieldsArray ?? []) {
      if (resolvedType && resolvedType !== definition) write(resolvedType);
    }
    written.set(name, { isEnum, text: isEnum ? enumTable(definition) : messageTable(definition) });
  }
}

function enumTable({ name, values }) {
  const numbers = Object.entries(values).map(([key, number]) => `    ${key}: ${number},\n`);
  return `const ${name}: EnumType = {
  name: '${name}',
  numbers: {
${numbers.join('')}  },
};
`;
}

function messageTable(definition) {
  const { name, fieldsArray } = definition;
  const required = fieldsArray.filter((field) => field.required).map((field) => `'${field.name}'`);
  const byNumber = [...fieldsArray].sort((one, other) => one.id - other.id);
  const fields = byNumber.map(({ id, name, type, resolvedType, repeated }) => {
    const named = resolvedType ? resolvedType.name : `'${type}'`;
    // A message within itself is not defined yet when its table is made.
    const typed =
      resolvedType === definition ? `get type() { return ${named}; }` : `type: ${named}`;
    return `    ${id}: { name: '${name}', ${typed}${repeated ? ', repeated: true' : ''} },\n`;
  });
  return `export const ${name}: MessageType<${name}__Output> = {
  name: '${name}',
  required: [${required.join(', ')}],
  fields: {
${fields.join('')}  },
};
`;
}

function writeTypes(directory) {
  run('@grpc/proto-loader', 'build/bin/proto-loader-gen-types.js', [
    ...['--keepCase', '--longs=Number', '--enums=String', '--importFileExtension=.ts'],
    ...['--outDir', directory, ...protos],
  ]);
  for (const { name, fieldsArray } of definitions()) {
    if (fieldsArray === undefined) continue;
    const file = join(directory, `${name}.ts`);
    let text = readFileSync(file, 'utf8');
    // 64-bit fields accept Longs whatever --longs says, by a type of a package that is only a
    // development dependency.
    if (fieldsArray.some((field) => field.type === 'uint64')) {
      text = replace(text, "import type { Long } from '@grpc/proto-loader';\n", '');
      text = replace(text, /number \| string \| Long/g, 'number');
    }
    // The generator makes every field optional. What is required is there, or decoding throws.
    for (const field of fieldsArray.filter((field) => field.required)) {
      text = replace(text, new RegExp(`'${field.name}'\\?:`, 'g'), `'${field.name}':`);
    }
    writeFileSync(file, text);
  }
}

/** Parsed here, so that it need not be at every start. */
function writeService(directory) {
  const root = new protobuf.Root().loadSync(join(project, service));
  const description = JSON.stringify(root.toJSON(), null, 2);
  writeFileSync(
    join(directory, 'migration.ts'),
    `${header}export default ${description} as const;\n`,
  );
  run('@grpc/proto-loader', 'build/bin/proto-loader-gen-types.js', [
    ...['--longs=Number', '--enums=String', '--defaults', '--oneofs', '--importFileExtension=.ts'],
    ...['--grpcLib=@grpc/grpc-js', '--outDir', join(directory, 'types'), service],
  ]);
  for (const [name, text] of read(join(directory, 'types'))) {
    if (!name.startsWith('node_criu/')) continue;
    const plain = text
      .replace("import type { Long } from '@grpc/proto-loader';\n", '')
      .replace(/number \| string \| Long/g, 'number');
    writeFileSync(join(directory, 'types', name), plain);
  }
}

/** The rows of the option table by name. Bundled, because not every Node runs TypeScript. */
async function optionTable(directory) {
  const file = join(directory, 'table.mjs');
  const build = await rolldown({
    input: join(project, 'src/options/table.ts'),
    platform: 'node',
    external: /^@grpc\//,
  });
  await build.write({ file, codeSplitting: false });
  await build.close();
  const { rowOf } = await import(pathToFileURL(file));
  rmSync(file);
  return rowOf;
}

function help(rowOf) {
  const types = readFileSync(join(project, 'src/options/types.ts'), 'utf8');
  const lines = [...rowOf].map(([name, [, { kind, operations }]]) => {
    const { form, takes } = kind;
    return `  ${name}: ${JSON.stringify({ summary: summary(types, name), form, takes, operations })},\n`;
  });
  return `// Written by scripts/generate.mjs from src/options/. Do not edit.

/** CRIU's options: a summary as Markdown, the accepted values, and the operations that take it. */
export const optionHelp = {
${lines.join('')}} as const;
`;
}

function run(packageName, script, args) {
  const root = dirname(createRequire(import.meta.url).resolve(`${packageName}/package.json`));
  return execFileSync(process.execPath, [join(root, script), ...args], {
    cwd: project,
    encoding: 'utf8',
  });
}

/** Replaces, and fails if a new version of a generator left nothing to replace. */
function replace(text, pattern, replacement) {
  const replaced = text.replace(pattern, () => replacement);
  if (replaced === text) throw new Error(`${pattern} is no longer in the generator's output`);
  return replaced;
}

function compare() {
  const fresh = read(scratch);
  const present = read(target);
  const stale = [...new Set([...fresh.keys(), ...present.keys()])]
    .filter((name) => fresh.get(name) !== present.get(name))
    .sort();
  if (stale.length === 0) return 0;
  console.error(`Stale in ${target}: ${stale.join(', ')}. Run: npm run generate`);
  return 1;
}

function install() {
  rmSync(target, { recursive: true, force: true });
  cpSync(scratch, target, { recursive: true });
  return 0;
}

/** The files of a directory by their relative names; none if there is no such directory. */
function read(directory) {
  const files = new Map();
  try {
    for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
      if (entry.isDirectory()) continue;
      const path = join(entry.parentPath, entry.name);
      files.set(path.slice(directory.length + 1), readFileSync(path, 'utf8'));
    }
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  return files;
}
