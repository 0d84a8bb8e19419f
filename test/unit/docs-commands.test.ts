import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { callsOf, cliProgram } from '../helpers/cli-program.ts';
import { codeBlocks, pages, root } from '../helpers/pages.ts';

const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
const blocks = (await pages()).flatMap((page) => codeBlocks(page, ['sh']));
const NPM = ['ci', 'install', 'pack', 'test'];

test.each(blocks)('the commands at $place exist', async ({ code }) => {
  const calls = await callsOf(code);
  expect(calls.length).toBeGreaterThan(0);
  for (const [name, ...args] of calls) await expectKnown(name === 'npx' ? args : [name, ...args]);
});

test('every npm script that the documentation names exists', async () => {
  for (const { path, text } of await pages()) {
    for (const [, name = ''] of text.matchAll(/npm\s+run\s+([\w:-]+)/g)) {
      expect(scripts, `${path}: npm run ${name}`).toHaveProperty([name]);
    }
  }
});

/** Checks a call: the verb and flags of node-criu, the script of npm, the file of node or bash. */
async function expectKnown([name, ...args]: readonly (string | undefined)[]): Promise<void> {
  const words = args.filter((arg) => arg !== undefined);
  if (name === 'node-criu') await cliProgram().parseAsync(words, { from: 'user' });
  if (name === 'npm' && words[0] === 'run') expect(scripts).toHaveProperty([words[1] ?? '']);
  else if (name === 'npm') expect(NPM).toContain(words[0]);
  if (name === 'node' || name === 'bash') {
    const file = words.find((word) => !word.startsWith('-')) ?? '';
    expect(existsSync(join(root, file)), file).toBe(true);
  }
}
