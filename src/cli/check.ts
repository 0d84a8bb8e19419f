import type { Command } from 'commander';
import type { CheckOptions } from '../index.ts';
import { addCommon, addFlags, type Common } from './flags.ts';
import { withMeans } from './verb.ts';

const description =
  'Look whether CRIU works on this kernel, and which of the features it has that not every kernel has.';

const examples = `
Examples:
  $ node-criu check
  CRIU 4.2.1 works on this kernel
  memory tracking (pre-dumps, parent images): yes
  lazy pages: yes
  pidfd store: yes

  $ node-criu check --criu /usr/local/sbin/criu --json`;

/** Adds the verb `check`. */
export function addCheck(program: Command): void {
  const command = program
    .command('check')
    .summary('look whether CRIU works on this kernel')
    .description(description)
    .showHelpAfterError('Try: node-criu check --help')
    .addHelpText('after', examples);
  addCommon(addFlags(command, ['check'])).action(check);
}

async function check(given: CheckOptions & Common): Promise<void> {
  await withMeans(given, async ({ criu, output, own, limits }) => {
    const version = await criu.version(limits);
    await criu.check({ ...own, ...limits });
    const features = await criu.features(limits);
    const { major, minor, sublevel } = version;
    const dotted = [major, minor, ...(sublevel ? [sublevel] : [])].join('.');
    const said = (has: boolean) => (has ? 'yes' : 'no');
    output.result(
      { version, features },
      [
        `CRIU ${dotted} works on this kernel`,
        `memory tracking (pre-dumps, parent images): ${said(features.memTrack)}`,
        `lazy pages: ${said(features.lazyPages)}`,
        `pidfd store: ${said(features.pidfdStore)}`,
      ].join('\n'),
    );
  });
}
