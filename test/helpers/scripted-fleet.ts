import { deferred } from '../../src/concurrency/deferred.ts';
import type {
  DashboardQueue,
  DashboardSource,
  FleetOperationView,
  FleetPlan,
  FleetView,
} from '../../src/fleet.ts';
import { sampleMove, sampleOperation, sampleStep, sampleView } from './fleet-samples.ts';

/** A fleet that is what a test says. */
export class ScriptedFleet implements DashboardSource {
  readonly name: string;
  known: FleetView = sampleView();
  running: readonly FleetOperationView[] = [
    sampleOperation('drain-1', [
      sampleMove('old', 80),
      sampleStep('api', { state: 'active', phase: 'rounds', bytes: 2 ** 28 }),
      sampleStep('db'),
    ]),
  ];
  /** What is wrong with it; undefined if it answers. */
  trouble: string | undefined;
  /** How often it was asked. */
  asked = 0;
  plans = new Map<string, FleetPlan>();
  queues?: () => readonly DashboardQueue[];
  planDrain?: (host: string) => Promise<FleetPlan>;
  planMove?: (workload: string) => Promise<FleetPlan>;
  planRebalance?: () => Promise<FleetPlan>;
  #change = deferred<void>();

  constructor(name = 'test fleet') {
    this.name = name;
  }

  async view(): Promise<FleetView> {
    this.asked++;
    if (this.trouble !== undefined) throw new Error(this.trouble);
    return this.known;
  }

  async operations(): Promise<readonly FleetOperationView[]> {
    return this.running;
  }

  async plan(operation: string): Promise<FleetPlan | undefined> {
    return this.plans.get(operation);
  }

  async *changes(signal: AbortSignal): AsyncIterable<void> {
    signal.addEventListener('abort', () => this.changed());
    while (!signal.aborted) {
      await this.#change.promise;
      if (!signal.aborted) yield;
    }
  }

  /** Tells those who follow its changes. */
  changed(): void {
    const { resolve } = this.#change;
    this.#change = deferred();
    resolve();
  }
}
