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

test.each(all.commands.flatMap((verb) => [verb, ...verb.commands]))(
  'the help of $_name is short, with examples before the options',
  (verb) => {
    const help = helpOf(verb);
    expect(help.split('\n').length).toBeLessThanOrEqual(40);
    expect(help).toMatch(/^Usage: .*\nExamples:\n.*\n(Arguments|Commands|Options):\n/s);
    expect(help).toContain(`node-criu ${usageOf(verb)} `);
    const full = helpOf(verb, '--help-all');
    for (const { long, hidden, negate } of verb.options) {
      if (!hidden && !negate) expect(full).toContain(`${long} `);
    }
  },
);

function helpOf(verb: Command, flag = '--help'): string {
  let help = '';
  verb.configureOutput({
    getOutHelpWidth: () => 80,
    writeOut(text) {
      help += text;
    },
  });
  expect(() => verb.parse([flag], { from: 'user' })).toThrow('(outputHelp)');
  return help;
}

function usageOf(verb: Command): string {
  return verb.parent === all ? verb.name() : `${verb.parent?.name()} ${verb.name()}`;
}

/** How a help calls node-criu in its examples: after a prompt, and further in on more lines. */
async function callsIn(help: string): Promise<string[][]> {
  const [, examples = ''] = /\nExamples:\n(.*?)\n\n(?=\S)/s.exec(help) ?? [];
  const typed = examples.split('\n').filter((line) => /^ {2}\$ |^ {6}/.test(line));
  const calls = await callsOf(typed.map((line) => line.replace(/^ {2}\$ /, '')).join('\n'));
  return calls.filter(([name]) => name === 'node-criu').map(([, ...args]) => args);
}
