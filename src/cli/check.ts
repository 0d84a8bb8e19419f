import type { Command } from 'commander';
import type { CheckOptions } from '../index.ts';
import { addCommon, addFlags, type Common } from './flags.ts';
import { addHelp } from './help.ts';
import { withCriu } from './verb.ts';

const description =
  'Check that CRIU works on this kernel, and list the features that depend on the kernel. Without a kernel ' +
  'cache each operation examines the kernel anew, which takes 30 to 40 ms; --fix keeps one until the next boot.';

const examples = `
  $ node-criu check
  CRIU 4.2.1 works on this kernel
  memory tracking (pre-dumps, parent images): yes
  lazy pages: yes
  pidfd store: yes
  kernel cache: kept

  $ node-criu check --criu /usr/local/sbin/criu --json`;

/** Adds the verb `check`. */
export function addCheck(program: Command): void {
  const command = addHelp(program.command('check'), examples)
    .summary('check that CRIU works on this kernel')
    .description(description);
  command.option('--fix', 'keep what CRIU finds out about the kernel, for all who use this CRIU');
  addCommon(addFlags(command, ['check'])).action(check);
}

async function check({ fix, ...given }: CheckOptions & Common & { fix?: true }): Promise<void> {
  await withCriu(given, async ({ criu, output, options, limits }) => {
    const version = await criu.version(limits);
    await criu.check({ ...options, ...limits });
    if (fix) await criu.keepKernelCache();
    const features = await criu.features(limits);
    const kernelCache = await criu.kernelCache();
    const { major, minor, sublevel } = version;
    const dotted = [major, minor, ...(sublevel ? [sublevel] : [])].join('.');
    const yesOrNo = (value: boolean) => (value ? 'yes' : 'no');
    output.result(
      { version, features, kernelCache },
      [
        `CRIU ${dotted} works on this kernel`,
        `memory tracking (pre-dumps, parent images): ${yesOrNo(features.memTrack)}`,
        `lazy pages: ${yesOrNo(features.lazyPages)}`,
        `pidfd store: ${yesOrNo(features.pidfdStore)}`,
        `kernel cache: ${kernelCache === 'kept' ? 'kept' : 'missing (see --fix)'}`,
      ].join('\n'),
    );
  });
}
