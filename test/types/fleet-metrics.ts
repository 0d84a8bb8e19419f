// Tests of the public types of the metrics of node-criu/fleet, compiled as public.ts is.
import { type FleetOperationView, type FleetView, fleetMetrics, MoveTotals } from 'node-criu/fleet';
import { same } from './same.ts';

export function metrics(view: FleetView, operations: readonly FleetOperationView[]): string {
  const totals = new MoveTotals();
  totals.observe(operations);
  same<typeof totals.bytes, number>();
  same<typeof totals.ended.done, number>();
  // @ts-expect-error: the operations are missing
  fleetMetrics(view);
  return fleetMetrics(view, operations) + fleetMetrics(view, operations, totals);
}
