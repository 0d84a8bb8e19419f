import type { Command } from 'commander';
import { addJson } from './flags.ts';
import { addHelp } from './help.ts';
import { withOutput } from './verb.ts';

const description = [
  'Compile the addon for the running Node, and print its path. You need this only on a platform for ' +
    'which the package ships no addon: it ships those for Linux on x64 and arm64, with glibc and musl.',
  "It takes a C compiler (cc, or the one that CC names) and Node's headers, which it looks for where " +
    'npm_config_nodedir points, beside the running node, and where distributions install them. The ' +
    'addon is written into the package: after an update of the package, compile it again.',
].join('\n\n');

const examples = `
  $ node-criu build-addon
  $ CC=clang node-criu build-addon
  $ npm_config_nodedir=/opt/node node-criu build-addon`;

/** Shipped beside dist/: a checkout builds its addon with this script before dist/ exists. */
const script = new URL('../../scripts/build-addon.mjs', import.meta.url);

/** Adds the verb `build-addon`. */
export function addBuildAddon(program: Command): void {
  const command = addHelp(program.command('build-addon'), examples)
    .summary('compile the addon on a platform without a prebuilt one')
    .description(description);
  addJson(command).action(build);
}

async function build({ json = false }: { json?: boolean }): Promise<void> {
  await withOutput({ json }, async (output) => {
    const { buildAddon } = (await import(script.href)) as { buildAddon: () => Promise<string> };
    const file = await buildAddon();
    output.result({ file }, file);
  });
}
