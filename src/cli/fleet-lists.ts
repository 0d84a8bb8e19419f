import type { Command } from 'commander';
import type { FleetHost, FleetOperationView, FleetWorkload } from '../fleet.ts';
import { addConnection, type ConnectionFlags, withFleet } from './fleet-connection.ts';
import { formatLabels, positive } from './fleet-values.ts';
import { addHelp } from './help.ts';
import { formatBytes, formatEndpoint, formatTime } from './quantities.ts';
import { printable, tableOrParagraphs } from './text-layout.ts';

/** How many operations are listed by default. */
const LAST = 20;

const hostsExamples = `
  $ node-criu fleet hosts
  NAME    STATE     WORKLOADS  FREE     MEMORY   CRIU   ENDPOINT        LABELS
  host-a  draining  1          5.1 GiB  7.8 GiB  4.2.1  192.0.2.1:7007  zone=a
  host-b  ready     3          3.9 GiB  7.8 GiB  4.2.1  192.0.2.2:7007  zone=b`;

/** Adds the verb `fleet hosts`. */
export function addHosts(fleet: Command): void {
  const command = addHelp(fleet.command('hosts'), hostsExamples)
    .summary('list the hosts')
    .description(
      'List the hosts: what each takes, how many workloads it has, and its memory. A host is lost if its agent has not been ' +
        'heard of for three heartbeats; its workloads may run.',
    );
  addConnection(command).action(async (given: ConnectionFlags) => {
    await withFleet(given, async ({ fleet, output }) => {
      const { hosts, workloads } = await fleet.view();
      output.result({ hosts }, hosts.length === 0 ? '' : hostsTable(hosts, workloads));
    });
  });
}

function hostsTable(hosts: readonly FleetHost[], workloads: readonly FleetWorkload[]): string {
  const titles = ['NAME', 'STATE', 'WORKLOADS', 'FREE', 'MEMORY', 'CRIU', 'ENDPOINT', 'LABELS'];
  const rows = hosts.map((host) => {
    const { name, facts, endpoint, labels } = host;
    const count = workloads.filter((one) => one.host === name).length;
    return [
      ...[name, stateOf(host), String(count), formatBytes(facts.freeMemoryBytes)],
      ...[formatBytes(facts.memoryBytes), formatVersion(facts.criu)],
      ...[printable(formatEndpoint(endpoint)), formatLabels(labels)],
    ];
  });
  return tableOrParagraphs(titles, rows);
}

function stateOf({ state, isAlive, isFenced }: FleetHost): string {
  const notes = [...(isAlive ? [] : ['lost']), ...(isFenced ? ['fenced'] : [])];
  return [state, ...notes].join(',');
}

/** CRIU's version, of 40201 for 4.2.1. */
function formatVersion(number: number): string {
  const [major, minor, patch] = [number / 10_000, (number / 100) % 100, number % 100].map(
    Math.floor,
  );
  return patch ? `${major}.${minor}.${patch}` : `${major}.${minor}`;
}

const workloadsExamples = `
  $ node-criu fleet workloads --on host-a
  NAME  HOST    STATE    PID   MEMORY    ADDRESSES     CHECKPOINT            LABELS
  web   host-a  running  4711  64.2 MiB  192.0.2.9/32  2026-11-30T10:20:31Z  app=web`;

/** Adds the verb `fleet workloads`. */
export function addWorkloads(fleet: Command): void {
  const command = addHelp(fleet.command('workloads'), workloadsExamples)
    .summary('list the workloads')
    .description('List the workloads, with the hosts that have them.')
    .option('--on <host>', 'only those of this host');
  addConnection(command).action(async (given: ConnectionFlags & { on?: string }) => {
    await withFleet(given, async ({ fleet, output }) => {
      const all = await fleet.workloads();
      const { on } = given;
      const workloads = on === undefined ? all : all.filter(({ host }) => host === on);
      output.result({ workloads }, workloads.length === 0 ? '' : workloadsTable(workloads));
    });
  });
}

function workloadsTable(workloads: readonly FleetWorkload[]): string {
  const titles = [
    ...['NAME', 'HOST', 'STATE', 'PID', 'MEMORY', 'ADDRESSES', 'CHECKPOINT', 'LABELS'],
  ];
  const rows = workloads.map(
    ({ name, host, state, movingTo, pid, memoryBytes, addresses, checkpoint, labels }) => [
      ...[name, host, movingTo === undefined ? state : `${state} to ${movingTo}`, String(pid)],
      ...[formatBytes(memoryBytes), printable(addresses.join(',')) || '-'],
      ...[checkpoint ? timeText(checkpoint.at) : '-', formatLabels(labels)],
    ],
  );
  return tableOrParagraphs(
    titles,
    rows.map((row) => row.map(printable)),
  );
}

const operationsExamples = `
  $ node-criu fleet operations
  ID                                    KIND   TARGET  STATE   STEPS  OPERATOR  ORDERED
  0f7be7d2-5dc9-4d0d-9a5e-6d4b5a3b2c11  drain  host-a  active  3/4    ada       2026-11-30T10:20:31Z`;

/** Adds the verb `fleet operations`. */
export function addOperations(fleet: Command): void {
  const command = addHelp(fleet.command('operations'), operationsExamples)
    .summary('list operations, the newest first')
    .description('List the operations that are under way, and the last that have ended.')
    .option('--last <number>', 'how many to list', positive, LAST);
  addConnection(command).action(async (given: ConnectionFlags & { last: number }) => {
    await withFleet(given, async ({ fleet, output }) => {
      const operations = (await fleet.operations()).slice(0, given.last);
      output.result({ operations }, operations.length === 0 ? '' : operationsTable(operations));
    });
  });
}

function operationsTable(operations: readonly FleetOperationView[]): string {
  const titles = ['ID', 'KIND', 'TARGET', 'STATE', 'STEPS', 'OPERATOR', 'ORDERED'];
  const rows = operations.map(({ id, kind, target, state, steps, operator, orderedAt }) => {
    const done = steps.filter((step) => step.state === 'done').length;
    const time = timeText(orderedAt);
    return [id, kind, target, state, `${done}/${steps.length}`, operator, time].map(printable);
  });
  return tableOrParagraphs(titles, rows);
}

function timeText(at: number): string {
  return formatTime(new Date(at).toISOString());
}
