import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { callsOf, cliProgram } from '../helpers/cli-program.ts';

const all = cliProgram();

test.each(all.commands.map((verb) => verb.name()))(
  'the examples of %s are understood',
  async (name) => {
    const verb = all.commands.find((each) => each.name() === name) as Command;
    const calls = await callsIn(helpOf(verb));
    expect(calls.length).toBeGreaterThan(0);
    expect(calls.map(([called]) => called)).toContain(name);
    for (const args of calls) {
      const understood: string[] = [];
      const fresh = cliProgram((done) => understood.push(done));
      await fresh.parseAsync(args, { from: 'user' });
      expect(understood).toHaveLength(1);
    }
  },
);

function helpOf(verb: Command): string {
  let help = '';
  verb.configureOutput({
    writeOut(text) {
      help += text;
    },
  });
  verb.outputHelp();
  return help;
}

/** How a help calls node-criu in its examples: after a prompt, and further in on more lines. */
async function callsIn(help: string): Promise<string[][]> {
  const [, examples = ''] = /\nExamples:\n(.*)/s.exec(help) ?? [];
  const typed = examples.split('\n').filter((line) => /^ {2}\$ |^ {6}/.test(line));
  const calls = await callsOf(typed.map((line) => line.replace(/^ {2}\$ /, '')).join('\n'));
  return calls.filter(([name]) => name === 'node-criu').map(([, ...args]) => args);
}
