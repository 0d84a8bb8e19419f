import type { PidOccupant } from '../index.ts';
import type { Output } from './output.ts';

/** Warns of pids of a dumped tree that are still in use. */
export function reportOccupied(output: Output, occupied: readonly PidOccupant[] = []): void {
  for (const { pid, name, parent } of occupied) {
    const reaper = `process ${parent.pid}${parent.name === undefined ? '' : ` (${parent.name})`}`;
    output.log(
      `node-criu: pid ${pid} (${name}) is in use until its parent, ${reaper}, reaps it: a restore fails until then`,
    );
  }
}
