// Writes the code that V8 has compiled of library.cjs for a first operation into dist/code-cache/, for the Node
// that runs this script. The name of the file, which index.js looks for, has what the code depends on: the text,
// the processor and the version of V8. Arguments are other Nodes to run the script with as well.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const [, hash] = /code-cache\/(\w+)-/.exec(readFileSync(`${dist}/index.js`, 'utf8'));
let script;
vm.Script = class extends vm.Script {
  constructor(text) {
    // Compiled code keeps the name that it was compiled with, which stack traces show wherever it is installed.
    super(text, { filename: 'node-criu/dist/library.cjs' });
    script = this;
  }
};
const { Criu } = await import('../dist/index.js');
new Criu();

const file = `${dist}/code-cache/${hash}-${process.arch}-${process.versions.v8}`;
mkdirSync(`${dist}/code-cache`, { recursive: true });
writeFileSync(`${file}.new`, script.createCachedData());
renameSync(`${file}.new`, file);
for (const node of process.argv.slice(2)) execFileSync(node, [fileURLToPath(import.meta.url)]);
