import { Criu, type OperationOptions } from '../index.ts';
import { type Common, optionsFrom } from './flags.ts';
import { Interruption } from './interruption.ts';
import { Output, type OutputFlags } from './output.ts';

/** The context of a verb that runs criu. */
export interface CriuContext<Options> {
  readonly criu: Criu;
  readonly output: Output;
  /** The flags, as options of the library. */
  readonly options: Options;
  /** Signal and time limits, as options of the library. */
  readonly limits: OperationOptions;
  readonly interruption: Interruption;
}

/** Runs a verb that uses criu; Ctrl-C cancels it. */
export async function withCriu<O extends Common>(
  given: O,
  work: (context: CriuContext<Omit<O, keyof Common>>) => Promise<void>,
): Promise<void> {
  const { output: flags, client, limits, options } = optionsFrom(given);
  await withOutput(flags, async (output, signal, interruption) => {
    await using criu = new Criu(client);
    await work({ criu, output, options, limits: { ...limits, signal }, interruption });
  });
}

/** Runs a verb that does not use criu by itself; Ctrl-C aborts the signal. */
export async function withOutput(
  flags: OutputFlags,
  work: (output: Output, signal: AbortSignal, interruption: Interruption) => Promise<void>,
): Promise<void> {
  const output = await Output.open(flags);
  using interruption = new Interruption((text) => output.log(`node-criu: ${text}`));
  try {
    await work(output, interruption.signal, interruption);
  } finally {
    output.close();
  }
}
