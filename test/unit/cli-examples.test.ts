import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { addCert } from '../../src/cli/cert.ts';
import { addCheck } from '../../src/cli/check.ts';
import { addDump } from '../../src/cli/dump.ts';
import { addMigrate } from '../../src/cli/migrate.ts';
import { addPreflight } from '../../src/cli/preflight.ts';
import { addResolve } from '../../src/cli/resolve.ts';
import { addRestore } from '../../src/cli/restore.ts';
import { addRun } from '../../src/cli/run.ts';
import { addServe } from '../../src/cli/serve.ts';
import { addVerify } from '../../src/cli/verify.ts';

const verbs = [
  ...[addRun, addPreflight, addDump, addRestore, addVerify, addCheck],
  ...[addServe, addMigrate, addResolve, addCert],
];

const all = program();

test.each(all.commands.map((verb) => verb.name()))(
  'the examples of %s are understood',
  async (name) => {
    const verb = all.commands.find((each) => each.name() === name) as Command;
    const calls = await callsIn(helpOf(verb));
    expect(calls.length).toBeGreaterThan(0);
    expect(calls.map(([called]) => called)).toContain(name);
    for (const args of calls) {
      const understood: string[] = [];
      const fresh = program((done) => understood.push(done));
      await fresh.parseAsync(args, { from: 'user' });
      expect(understood).toHaveLength(1);
    }
  },
);

test('the commands of README.md are understood', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const [, section = ''] = /\n## The command\n(.*?)\n## /s.exec(readme) ?? [];
  const blocks = [...section.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block);
  const calls = await callsOf(blocks.join('\n').replaceAll('npx node-criu', 'node-criu'));
  expect(calls.length).toBeGreaterThan(4);
  for (const args of calls) await program().parseAsync(args, { from: 'user' });
});

/** All verbs, which do nothing but tell that they were understood. */
function program(told: (verb: string) => void = () => {}): Command {
  const program = new Command('node-criu').enablePositionalOptions();
  for (const add of verbs) add(program);
  for (const verb of [program, ...program.commands.flatMap((each) => [each, ...each.commands])]) {
    verb.exitOverride().configureOutput({ writeErr() {} });
    if (verb.commands.length === 0) verb.action(() => told(verb.name()));
  }
  return program;
}

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
  return await callsOf(typed.map((line) => line.replace(/^ {2}\$ /, '')).join('\n'));
}

/** The arguments of each node-criu that a script runs; it is run, and calls nothing else. */
async function callsOf(script: string): Promise<string[][]> {
  const directory = await mkdtemp(join(tmpdir(), 'node-criu-test-'));
  try {
    const record = join(directory, 'record');
    const preamble = `node-criu() { printf '%s\\0' "$@" >> ${record}; printf '\\n' >> ${record}; echo 4711; }`;
    await execa('bash', ['-ec', `${preamble}\n${script}`], { cwd: directory });
    const calls = (await readFile(record, 'utf8')).split('\0\n').filter(Boolean);
    return calls.map((call) => call.split('\0'));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
