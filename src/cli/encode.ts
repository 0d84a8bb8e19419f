import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { addJson } from './flags.ts';
import { addHelp } from './help.ts';
import { withOutput } from './verb.ts';

interface EncodeFlags {
  readonly json?: boolean;
  readonly out: string;
}

const description =
  'Write an image of CRIU from the JSON that decode or crit has written, in either form. What has not been edited ' +
  'becomes the same bytes.';

const examples = `
  $ node-criu decode images/files.img -o files.json
  $ node-criu encode files.json -o images/files.img
  $ node-criu decode a/fs-7.img | sed 's/"umask": 18/"umask": 63/' | node-criu encode - -o b/fs-7.img`;

/** Adds the verb `encode`. */
export function addEncode(program: Command): void {
  const command = addHelp(program.command('encode'), examples)
    .summary('write an image of CRIU from JSON')
    .description(description)
    .argument('<file>', 'the JSON; - is standard input')
    .requiredOption('-o, --out <file>', 'the image to write or replace');
  addJson(command).action(encode);
}

async function encode(file: string, { json = false, out }: EncodeFlags): Promise<void> {
  await withOutput({ json }, async (output) => {
    const { encodeImage, imageFromJson } = await import('../images.ts');
    const image = imageFromJson(
      file === '-' ? await text(process.stdin) : await readFile(file, 'utf8'),
    );
    const { kind, entries } = image;
    await encodeImage(out, kind, entries);
    const count = entries.length === 1 ? '1 entry' : `${entries.length} entries`;
    output.result({ kind, entries: entries.length }, `wrote ${out}: ${kind}, ${count}`);
  });
}
