import { Criu, type OperationOptions } from '../index.ts';
import { type Common, optionsFrom } from './flags.ts';
import { Interruption } from './interruption.ts';
import { Output } from './output.ts';

/** What a verb works with. */
export interface Means<Own> {
  readonly criu: Criu;
  readonly output: Output;
  /** What was given, under the library's names. */
  readonly own: Own;
  /** Signal and limits, for the library. */
  readonly limits: OperationOptions;
}

/** Does the work of a verb that runs a criu; Ctrl-C cancels it. */
export async function withMeans<O extends Common>(
  given: O,
  work: (means: Means<Omit<O, keyof Common>>) => Promise<void>,
): Promise<void> {
  const { json, client, limits, own } = optionsFrom(given);
  await withOutput(json, async (output, signal) => {
    await using criu = new Criu(client);
    await work({ criu, output, own, limits: { ...limits, signal } });
  });
}

/** The same without a criu. */
export async function withOutput(
  json: boolean,
  work: (output: Output, signal: AbortSignal, interruption: Interruption) => Promise<void>,
): Promise<void> {
  const output = await Output.open(json);
  using interruption = new Interruption((text) => output.say(`node-criu: ${text}`));
  try {
    await work(output, interruption.signal, interruption);
  } finally {
    output.close();
  }
}
