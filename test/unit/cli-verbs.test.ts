import { Command } from 'commander';
import { expect, test } from 'vitest';
import { verbs, verbsFor } from '../../src/cli/verbs.ts';

const names = Object.keys(verbs);

/** The names of the verbs that are there when the command is called with these first words. */
function offered(called?: string): string[] {
  const program = new Command().enablePositionalOptions();
  for (const add of verbsFor(called)) add(program);
  return program.commands.map((command) => command.name());
}

test.each(names.filter((name) => name !== 'completion'))('%s comes alone', (name) => {
  expect(offered(name)).toEqual([name]);
});

test.each([undefined, '', '--help', '--version', 'dmp', 'constructor', 'completion'])(
  'all verbs are there for %j',
  (called) => {
    expect(offered(called)).toEqual(names);
  },
);
