import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { exitCodes } from './exit-code.ts';
import { addCriu, addJson, defined } from './flags.ts';
import { addHelp } from './help.ts';
import { formatBytes } from './quantities.ts';
import { counted } from './text-layout.ts';
import { withOutput } from './verb.ts';

const description = [
  'Write a page about a checkpoint for a browser: whether it is whole and can be restored here, processes, memory, ' +
    'connections and files, and the time that the dump took. The page needs no network.',
  'Passwords, tokens and keys in command lines and environments are redacted where their names or forms show what ' +
    'they are.',
].join('\n\n');

const examples = `
  $ node-criu report images -o report.html
  $ node-criu report images -o report.html --deep
  $ node-criu report images/2 --diff images/1 -o report.html`;

interface ReportFlags {
  readonly json?: boolean;
  readonly output: string;
  readonly deep?: boolean;
  readonly diff?: string;
  readonly preflight: boolean;
  readonly secrets?: boolean;
  readonly criu?: string;
}

/** Adds the verb `report`. */
export function addReport(program: Command): void {
  const command = addHelp(program.command('report'), examples)
    .summary('write a page about a checkpoint for a browser')
    .description(description)
    .argument('<directory>', 'the images directory')
    .requiredOption('-o, --output <file>', 'where to write the page')
    .option('--deep', 'compare the contents of all files with the checksums in node-criu.json')
    .option('--diff <directory>', 'an earlier checkpoint, with which to compare this one')
    .option('--no-preflight', 'do not examine whether this host can restore it')
    .option('--secrets', 'do not redact passwords, tokens and keys');
  addCriu(addJson(command)).action(report);
}

async function report(
  directory: string,
  { json = false, output: path, deep, diff, preflight, secrets, criu }: ReportFlags,
): Promise<void> {
  await withOutput({ json }, async (output, signal) => {
    const { checkpointReport } = await import('../report.ts');
    const options = defined({ deep, diff, preflight, secrets, path: criu });
    const { html, defects, obstacles } = await checkpointReport(directory, { ...options, signal });
    await writePage(path, html);
    const bytes = Buffer.byteLength(html);
    const found = defects.length > 0 ? `, ${counted(defects.length, 'defect')} in the images` : '';
    const text = `wrote ${path}: ${formatBytes(bytes)}${found}`;
    output.result({ path, bytes, defects, obstacles }, text);
    if (defects.length > 0) process.exitCode = exitCodes.refused;
  });
}

/** Only the owner may read it, as with the images. A reader never sees half of it. */
async function writePage(path: string, page: string): Promise<void> {
  const directory = await mkdtemp(join(dirname(path), '.report-'));
  try {
    const file = join(directory, 'page');
    await writeFile(file, page, { mode: 0o600 });
    await rename(file, path);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
