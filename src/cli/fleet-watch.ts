import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { addQuiet } from './flags.ts';
import {
  addConnection,
  type ConnectionFlags,
  type FleetContext,
  withFleet,
} from './fleet-connection.ts';
import { follow, StepReporter } from './fleet-follow.ts';
import { addHelp } from './help.ts';

/** How often all operations are looked at, in milliseconds. */
const LOOK_MS = 1000;

const examples = `
  $ node-criu fleet watch
  drain host-a: web moved from host-a to host-b, down for 31 ms
  $ node-criu fleet watch 0f7be7d2-5dc9-4d0d-9a5e-6d4b5a3b2c11`;

/** Adds the verb `fleet watch`. */
export function addWatch(fleet: Command): void {
  const command = addHelp(fleet.command('watch'), examples)
    .summary('follow an operation, or all of them')
    .description(
      'Follow an operation until its end, with the exit code of the command that has ordered it; or all operations until ' +
        'Ctrl-C.',
    )
    .argument('[operation]', 'its id (default: all that are under way or begin)');
  addConnection(addQuiet(command)).action(
    async (id: string | undefined, given: ConnectionFlags) => {
      await withFleet(given, async (context) => {
        if (id === undefined) await watchAll(context);
        else await follow(context, await context.fleet.operation(id), false);
      });
    },
  );
}

async function watchAll({ fleet, output, signal, interruption }: FleetContext): Promise<void> {
  interruption.react([
    { message: 'the operations go on', action: (by) => interruption.cancel(by) },
  ]);
  const steps = new StepReporter(output, true);
  const known = new Set<string>();
  const since = Date.now();
  while (!signal.aborted) {
    for (const view of (await fleet.operations()).toReversed()) {
      if (view.endedAt !== undefined && view.endedAt < since) continue;
      if (!known.has(view.id)) {
        known.add(view.id);
        const { id, kind, target, operator } = view;
        const facts = { step: 'ordered', operation: id, kind, target, operator };
        output.step(facts, `${kind} ${target}: ordered by ${operator}, ${id}`);
      }
      steps.report(view);
    }
    await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
  }
  output.result({}, '');
}
