import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { addHelp } from './help.ts';
import { withOutput } from './verb.ts';

interface DecodeFlags {
  readonly json?: boolean;
  readonly out?: string;
}

const description = [
  'Show an image of CRIU as JSON, as crit does: with addresses in hexadecimal, and flags, states and IP addresses ' +
    'in words.',
  'Files of pages and the archives of file systems have no entries, and cannot be shown.',
].join('\n\n');

const examples = `
  $ node-criu decode images/pstree.img
  $ node-criu decode images/files.img --json
  $ node-criu decode images/files.img -o files.json`;

/** Adds the verb `decode`. */
export function addDecode(program: Command): void {
  addHelp(program.command('decode'), examples)
    .summary('show an image of CRIU as JSON')
    .description(description)
    .argument('<file>', 'the image')
    .option('--json', 'one line, with all numbers in decimal: what crit decode prints')
    .option('-o, --out <file>', 'write to this file; default: standard output')
    .action(decode);
}

async function decode(file: string, { json = false, out }: DecodeFlags): Promise<void> {
  await withOutput({}, async (_, signal) => {
    const { imageToJson } = await import('../images.ts');
    const text = async function* () {
      yield* imageToJson(file, { pretty: !json });
      yield '\n';
    };
    if (out === undefined) await pipeline(text, process.stdout, { signal, end: false });
    else await pipeline(text, createWriteStream(out), { signal });
  });
}
