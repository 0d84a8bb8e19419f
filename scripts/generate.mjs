// Writes src/generated/: from proto/ the fields of CRIU's requests (messages.ts), the description of our own
// service for gRPC (migration.ts) and the types of both (types/), the fields and types of CRIU's images
// (images/), and from src/options/ what the command needs to know
// of each option for its flags and help (help.ts).
//
//   node scripts/generate.mjs [--check] [DIRECTORY]
//
// --check writes nothing: it names the files that differ and exits with 1 if there are any.
// DIRECTORY takes the place of src/generated.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import protobuf from 'protobufjs';
import { rolldown } from 'rolldown';
import { summary } from './reference.mjs';

const project = fileURLToPath(new URL('..', import.meta.url));
// Relative, since both generators copy the paths into their output.
const protos = ['proto/rpc.proto', 'proto/streamer.proto'];
const imageProtos = readdirSync(join(project, 'proto/images'))
  .filter((name) => name !== 'options.proto')
  .map((name) => `proto/images/${name}`);
const service = 'proto/migration.proto';
// protobufjs has this file, but does not find it by itself.
const descriptor = 'google/protobuf/descriptor';
const { default: descriptorJson } = await import(`protobufjs/${descriptor}.json`, {
  with: { type: 'json' },
});
protobuf.common(`${descriptor}.proto`, descriptorJson);
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
  writeImages(join(scratch, 'images'));
  writeService(scratch);
  writeFileSync(join(scratch, 'help.ts'), help(await optionTable(scratch)));
  process.exitCode = values.check ? compare() : install();
} finally {
  rmSync(scratch, { recursive: true });
}

function definitions(files = protos) {
  const paths = files.map((proto) => join(project, proto));
  const root = new protobuf.Root();
  return root
    .loadSync(paths, { keepCase: true, alternateCommentMode: true })
    .resolveAll()
    .nestedArray.filter((definition) => 'values' in definition || 'fieldsArray' in definition);
}

/** The tables with which src/protobuf/ encodes and decodes, each after those that it refers to. */
function messageTypes() {
  const sorted = inOrder(definitions());
  const imports = sorted
    .filter((definition) => !isEnum(definition))
    .map(({ name }) => `import type { ${name}__Output } from './types/${name}.ts';\n`);
  const tables = sorted.map((definition) =>
    isEnum(definition)
      ? `const ${enumTable(definition)}`
      : `export const ${messageTable(definition, `${definition.name}__Output`)}`,
  );
  return `${header}import type { EnumType, MessageType } from '../protobuf/message-type.ts';
${imports.join('')}
${tables.join('\n')}`;
}

/**
 * Writes the tables of images, a module for each file of proto/images/, and the types of all in one module.
 * They have 64-bit numbers as bigint.
 */
function writeImages(directory) {
  mkdirSync(directory);
  const all = inOrder(definitions(imageProtos));
  const types = all.map((one) => (isEnum(one) ? enumType(one) : messageInterface(one)));
  writeFileSync(join(directory, 'types.ts'), `${header}\n${types.join('\n')}`);
  for (const proto of imageProtos) {
    const file = basename(proto, '.proto');
    const own = all.filter((definition) => fileOf(definition) === file);
    const messages = own.filter((definition) => !isEnum(definition));
    const used = messages.flatMap(({ fieldsArray }) =>
      fieldsArray.map(({ resolvedType }) => resolvedType),
    );
    const foreign = [...new Set(used)].filter(
      (definition) => definition && fileOf(definition) !== file,
    );
    const tables = own.map((definition) =>
      isEnum(definition)
        ? `export const ${enumTable(definition)}`
        : `export const ${messageTable(definition, `types.${typeNameOf(definition.name)}`)}`,
    );
    const text = [
      header,
      `import type { ${own.length > messages.length ? 'EnumType, ' : ''}MessageType } from '../../protobuf/message-type.ts';\n`,
      ...foreign.map((one) => `import { ${one.name} } from './${fileOf(one)}.ts';\n`),
      `import type * as types from './types.ts';\n\n`,
      tables.join('\n'),
    ];
    writeFileSync(join(directory, `${file}.ts`), text.join(''));
  }
}

function isEnum(definition) {
  return definition instanceof protobuf.Enum;
}

function fileOf({ filename, parent }) {
  return basename(filename ?? parent.filename, '.proto');
}

/** A definition after those that it refers to. */
function inOrder(definitions) {
  const sorted = new Set();
  const add = (definition) => {
    for (const { resolvedType } of definition.fieldsArray ?? []) {
      if (resolvedType && resolvedType !== definition && !sorted.has(resolvedType)) {
        add(resolvedType);
      }
    }
    sorted.add(definition);
  };
  for (const definition of definitions) add(definition);
  return [...sorted];
}

function enumTable({ name, values }) {
  const numbers = Object.entries(values).map(([key, number]) => `    ${key}: ${number},\n`);
  return `${name}: EnumType = {
  name: '${name}',
  numbers: {
${numbers.join('')}  },
};
`;
}

function messageTable(definition, typeName) {
  const { name, fieldsArray } = definition;
  const required = fieldsArray.filter((field) => field.required).map((field) => `'${field.name}'`);
  const fields = byNumber(fieldsArray).map(
    ({ id, name, type, resolvedType, repeated, options }) => {
      const named = resolvedType ? resolvedType.name : `'${type}'`;
      // A message within itself is not defined yet when its table is made.
      const typed =
        resolvedType === definition ? `get type() { return ${named}; }` : `type: ${named}`;
      const packed = options?.packed ? ', packed: true' : '';
      const rest = `${repeated ? ', repeated: true' : ''}${packed}${formatOf(options ?? {})}`;
      return `    ${id}: { name: '${name}', ${typed}${rest} },\n`;
    },
  );
  return `${name}: MessageType<${typeName}> = {
  name: '${name}',
  required: [${required.join(', ')}],
  fields: {
${fields.join('')}  },
};
`;
}

function byNumber(fields) {
  return [...fields].sort((one, other) => one.id - other.id);
}

/** How crit shows the field. */
function formatOf(options) {
  const entries = Object.entries(options).filter(([name]) => name.startsWith('(criu).'));
  if (entries.length === 0) return '';
  const properties = entries.map(([name, value]) => {
    return `${name.slice('(criu).'.length)}: ${typeof value === 'string' ? `'${value}'` : value}`;
  });
  return `, format: { ${properties.join(', ')} }`;
}

/** `pstree_entry` as the name of a TypeScript type. */
function typeNameOf(name) {
  return name.replace(/(?:^|_)(\w)/g, (_, letter) => letter.toUpperCase());
}

function enumType({ name, values, comment }) {
  const names = Object.keys(values).map((key) => `'${key}'`);
  return `${documentation(comment)}export type ${typeNameOf(name)} = ${names.join(' | ')};\n`;
}

function messageInterface({ name, fieldsArray, comment }) {
  const fields = byNumber(fieldsArray).map((field) => {
    const type = `${fieldType(field)}${field.repeated ? '[]' : ''}`;
    const typed = field.required ? `: ${type}` : `?: ${type} | undefined`;
    return `${documentation(field.comment, '  ')}  ${field.name}${typed};\n`;
  });
  return `${documentation(comment)}export interface ${typeNameOf(name)} {
${fields.join('')}}
`;
}

/** A number that CRIU has added to an enum since is a number. */
function fieldType({ type, resolvedType, repeated }) {
  if (resolvedType) {
    const named = typeNameOf(resolvedType.name);
    if (!isEnum(resolvedType)) return named;
    return repeated ? `(${named} | number)` : `${named} | number`;
  }
  if (type === 'bytes') return 'Uint8Array';
  if (type === 'string') return 'string';
  if (type === 'bool') return 'boolean';
  return /64$/.test(type) ? 'bigint' : 'number';
}

function documentation(comment, indent = '') {
  if (!comment) return '';
  return `${indent}/** ${comment.replace(/\s+/g, ' ')} */\n`;
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
