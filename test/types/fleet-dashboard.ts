// Tests of the public types of the dashboard of node-criu/fleet, compiled as public.ts is.
import {
  type Dashboard,
  type DashboardOptions,
  type DashboardQueue,
  type DashboardSource,
  type Fleet,
  type FleetPlan,
  type FleetView,
  serveDashboard,
} from 'node-criu/fleet';
import { same } from './same.ts';

export async function dashboard(
  fleet: Fleet,
  view: FleetView,
  plan: FleetPlan,
  queue: DashboardQueue,
) {
  const least: DashboardSource = {
    name: 'production',
    view: async () => view,
    operations: async () => [],
  };
  const most: DashboardSource = {
    ...least,
    plan: async (operation) => (operation === '1' ? plan : undefined),
    async *changes(signal) {
      while (!signal.aborted) yield 'anything';
    },
    queues: () => [queue],
  };
  const options: DashboardOptions = {
    ...{ host: '0.0.0.0', port: 8443, token: 'secret', intervalMs: 500 },
    ...{ tls: { cert: '/cert.pem', key: new Uint8Array() }, names: ['fleet.example.org'] },
  };
  await using served: Dashboard = await serveDashboard(most, options);
  same<typeof served.url, string>();
  same<typeof served.port, number>();
  await serveDashboard(least);
  await serveDashboard(fleet);
  // @ts-expect-error: no name
  await serveDashboard({ view: least.view, operations: least.operations });
  // @ts-expect-error: clients show no certificates
  await serveDashboard(least, { tls: { ca: '/ca.pem', cert: '/cert.pem', key: '/key.pem' } });
  await served.close();
}
