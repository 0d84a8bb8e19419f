// Writes src/generated/: from proto/ the codec (messages.js, messages.d.ts) of CRIU's messages, the
// decoder (images.js, images.d.ts) of further images, the description of our own service for gRPC (migration.ts) and the types of all messages (types/), and
// from src/options/ what the command needs to know of each option for its flags and help (help.ts).
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
const protos = ['proto/rpc.proto', 'proto/stats.proto', 'proto/pagemap.proto'];
const images = ['proto/images.proto'];
const service = 'proto/migration.proto';
const header = '// Written by scripts/generate.mjs from proto/. Do not edit.\n';

const { values, positionals } = parseArgs({
  options: { check: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const target = resolve(positionals[0] ?? join(project, 'src/generated'));

const scratch = mkdtempSync(join(tmpdir(), 'node-criu-generate-'));
try {
  writeFileSync(join(scratch, 'messages.js'), codec('node-criu', protos));
  writeFileSync(join(scratch, 'messages.d.ts'), codecTypes(messagesOf(protos)));
  writeFileSync(join(scratch, 'images.js'), codec('node-criu-images', images, '--no-encode'));
  writeFileSync(join(scratch, 'images.d.ts'), decoderTypes(messagesOf(images)));
  writeTypes(join(scratch, 'types'), [...protos, ...images]);
  writeService(scratch);
  writeFileSync(join(scratch, 'help.ts'), help(await optionTable(scratch)));
  process.exitCode = values.check ? compare() : install();
} finally {
  rmSync(scratch, { recursive: true });
}

function messagesOf(files) {
  const paths = files.map((proto) => join(project, proto));
  const definitions = new protobuf.Root().loadSync(paths, { keepCase: true });
  return definitions.nestedArray.filter((type) => type instanceof protobuf.Type);
}

function codec(root, files, ...flags) {
  const js = run('protobufjs-cli', 'bin/pbjs', [
    ...['--target', 'static-module', '--wrap', 'esm', '--dependency', 'protobufjs/minimal.js'],
    // Not --force-number: it changes the types in pbjs's comments only.
    ...['--keep-case', '--no-create', '--no-verify', '--no-delimited', '--no-typeurl'],
    ...['--no-service', '--no-comments', '--root', root, ...flags, ...files],
  ]);
  // pbjs registers its messages in a table that all users of protobufjs share: two versions of
  // this package in one process would decode with each other's definitions.
  const shared = `$protobuf.roots["${root}"] || ($protobuf.roots["${root}"] = {})`;
  return header + replace(replace(js, shared, '{}'), /^\/\*eslint.*\n/, '');
}

function codecTypes(messages) {
  const imports = messages.map(
    ({ name }) =>
      `import type { ${name} as ${name}$In, ${name}__Output } from './types/${name}.js';\n`,
  );
  const codecs = messages.map(
    ({ name }) => `export const ${name}: Codec<${name}$In, ${name}__Output>;\n`,
  );
  // The imports end in .js so that they hold in dist as well, where this file is only copied.
  return `${header}${imports.join('')}
declare const values: unique symbol;

/** A decoded message, which only its codec looks into. */
export interface Message<Out> {
  readonly [values]: Out;
}

/** How Out is written: numbers for 64-bit fields and names for enums. */
export interface ToObjectOptions {
  readonly longs: NumberConstructor;
  readonly enums: StringConstructor;
}

export interface Codec<In, Out> {
  fromObject(input: In): Message<Out>;
  toObject(message: Message<Out>, options: ToObjectOptions): Out;
  encode(message: Message<Out>): { finish(): Uint8Array };
  decode(bytes: Uint8Array): Message<Out>;
}

${codecs.join('')}`;
}

function decoderTypes(messages) {
  const decoders = messages.map(
    ({ name }) => `export const ${name}: Decoder<import('./types/${name}.js').${name}__Output>;\n`,
  );
  return `${header}import type { Codec } from './messages.js';

export type Decoder<Out> = Pick<Codec<never, Out>, 'toObject' | 'decode'>;

${decoders.join('')}`;
}

function writeTypes(directory, files) {
  run('@grpc/proto-loader', 'build/bin/proto-loader-gen-types.js', [
    ...['--keepCase', '--longs=Number', '--enums=String', '--importFileExtension=.ts'],
    ...['--outDir', directory, ...files],
  ]);
  for (const { name, fieldsArray } of messagesOf(files)) {
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
