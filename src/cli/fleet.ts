import type { Command } from 'commander';
import { addAgent } from './fleet-agent.ts';
import { addDashboard } from './fleet-dashboard.ts';
import { addKeygen } from './fleet-keys.ts';
import { addHosts, addOperations, addWorkloads } from './fleet-lists.ts';
import { addDrain, addMove, addRebalance } from './fleet-moves.ts';
import {
  addCancel,
  addCordon,
  addForget,
  addLimit,
  addUncordon,
  addUndrain,
} from './fleet-orders.ts';
import { addRecover } from './fleet-recover.ts';
import { addFleetRun } from './fleet-run.ts';
import { addWatch } from './fleet-watch.ts';
import { addHelp } from './help.ts';

const examples = `
  $ node-criu fleet keygen ada
  $ export NODE_CRIU_REDIS=rediss://operator@redis.example.org:6380
  $ export NODE_CRIU_OPERATOR=ada NODE_CRIU_OPERATOR_KEY=ada.key
  $ node-criu fleet run web --on host-a --address 192.0.2.9/32 -- node app.js
  $ node-criu fleet drain host-a --plan
  $ node-criu fleet drain host-a`;

/** Adds the verb `fleet`. */
export function addFleet(program: Command): void {
  const fleet = addHelp(program.command('fleet'), examples)
    .summary('run workloads on many hosts, and drain these')
    .description(
      'Run workloads on many hosts and move them between these, by agents that carry out signed orders from a Redis. ' +
        'Needs the packages bullmq, ioredis and redis-semaphore.',
    )
    .helpCommand(false);
  addAgent(fleet);
  addKeygen(fleet);
  addHosts(fleet);
  addWorkloads(fleet);
  addFleetRun(fleet);
  addMove(fleet);
  addCordon(fleet);
  addUncordon(fleet);
  addDrain(fleet);
  addUndrain(fleet);
  addRebalance(fleet);
  addRecover(fleet);
  addOperations(fleet);
  addWatch(fleet);
  addDashboard(fleet);
  addCancel(fleet);
  addForget(fleet);
  addLimit(fleet);
}
