import type { DestinationState } from '../../protocol/states.ts';
import type { OfferTally } from '../offer-receiver.ts';
import type { MigrationRegistry } from '../registry.ts';
import type { Traffic } from '../traffic.ts';
import type { Metric } from './exposition.ts';

const openStates = ['receiving', 'prepared', 'resuming', 'resumed'] as const;
const endedStates = ['complete', 'aborted', 'failed', 'lost'] as const;

interface Source {
  readonly registry: MigrationRegistry;
  readonly offers: OfferTally;
  readonly traffic: Traffic;
  readonly maxMigrations: number;
  readonly isReady: boolean;
}

/** The metrics of a migration server. */
export function serverMetrics(source: Source): Metric[] {
  const { registry, offers, traffic, maxMigrations, isReady } = source;
  const { limit } = traffic;
  const counts = (states: readonly DestinationState[]) => ({
    label: 'state',
    of: Object.fromEntries(states.map((state) => [state, registry.count(state)])),
  });
  return [
    {
      ...{ name: 'ready', type: 'gauge', value: isReady ? 1 : 0 },
      help: '1 if the server can take migrations, as /readyz answers.',
    },
    {
      ...{ name: 'migrations', type: 'gauge', value: counts(openStates) },
      help: 'Migrations to this host that are under way.',
    },
    {
      ...{ name: 'migrations_limit', type: 'gauge', value: maxMigrations },
      help: 'How many migrations may be under way at once.',
    },
    {
      ...{ name: 'migrations_ended_total', type: 'counter', value: counts(endedStates) },
      help: 'Migrations that have ended since the server was started.',
    },
    {
      ...{ name: 'offers_total', type: 'counter', value: { label: 'result', of: offers } },
      help: 'Offers that were accepted, or refused for a reason.',
    },
    {
      ...{ name: 'received_bytes_total', type: 'counter', value: traffic.received },
      help: 'Pages and images received, in bytes.',
    },
    ...(limit === undefined
      ? []
      : [
          {
            name: 'bandwidth_limit_bytes_per_second',
            type: 'gauge' as const,
            value: limit.bytesPerSecond,
            help: 'How many bytes per second all migrations may receive together.',
          },
        ]),
  ];
}
