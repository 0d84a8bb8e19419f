import { expect, test } from 'vitest';
import { fleetMetrics, MoveTotals } from '../../src/fleet.ts';
import {
  SAMPLE_TIME,
  sampleHost,
  sampleMove,
  sampleOperation,
  sampleStep,
  sampleView,
  sampleWorkload,
} from '../helpers/fleet-samples.ts';
import { readExposition } from '../helpers/read-exposition.ts';

test('the metrics of a fleet count hosts, workloads and moves', () => {
  const steps = [
    sampleMove('old', 80),
    sampleMove('older', 700),
    sampleStep('api', { state: 'active', phase: 'rounds', bytes: 4096, startedAt: SAMPLE_TIME }),
    sampleStep('db'),
    sampleStep('cron', { state: 'failed', endedAt: SAMPLE_TIME, bytes: 10 }),
  ];
  const text = fleetMetrics(sampleView(), [sampleOperation('1', steps)]);
  const value = readExposition(text);
  expect(value('fleet_hosts{state="draining"}')).toBe(1);
  expect(value('fleet_hosts{state="cordoned"}')).toBe(0);
  expect(value('fleet_hosts_alive')).toBe(2);
  expect(value('fleet_hosts_fenced')).toBe(0);
  expect(value('fleet_host_alive{host="host-b"}')).toBe(1);
  expect(value('fleet_host_seen_timestamp_seconds{host="host-a"}')).toBe(SAMPLE_TIME / 1000);
  expect(value('fleet_host_free_memory_bytes{host="host-a"}')).toBe(40 * 2 ** 30);
  expect(value('fleet_host_workloads{host="host-a"}')).toBe(2);
  expect(value('fleet_host_moves{direction="out",host="host-a"}')).toBe(1);
  expect(value('fleet_host_moves{direction="in",host="host-a"}')).toBe(0);
  expect(value('fleet_host_moves{direction="in",host="host-b"}')).toBe(1);
  expect(value('fleet_host_moves_limit{direction="in",host="host-b"}')).toBe(2);
  expect(value('fleet_workloads{state="running"}')).toBe(2);
  expect(value('fleet_workloads_memory_bytes')).toBe(1.5 * 2 ** 30);
  expect(value('fleet_workloads_with_checkpoint')).toBe(1);
  const oldest = value('fleet_oldest_checkpoint_timestamp_seconds{host="host-a"}');
  expect(SAMPLE_TIME / 1000 - (oldest as number)).toBe(600);
  expect(value('fleet_operations{kind="drain"}')).toBe(1);
  expect(value('fleet_moves{state="active"}')).toBe(1);
  expect(value('fleet_moves_sent_bytes')).toBe(4096);
  expect(value('fleet_moves_ended_total{state="done"}')).toBe(2);
  expect(value('fleet_moves_ended_total{state="failed"}')).toBe(1);
  expect(value('fleet_moved_bytes_total')).toBe(2 ** 30 + 10);
  expect(value('fleet_downtime_seconds_bucket{le="0.05"}')).toBe(0);
  expect(value('fleet_downtime_seconds_bucket{le="0.1"}')).toBe(1);
  expect(value('fleet_downtime_seconds_bucket{le="1"}')).toBe(2);
  expect(value('fleet_downtime_seconds_bucket{le="+Inf"}')).toBe(2);
  expect(value('fleet_downtime_seconds_sum')).toBeCloseTo(0.78);
  expect(value('fleet_downtime_seconds_count')).toBe(2);
});

test('an empty fleet has metrics, and hostile names stay within their labels', () => {
  const empty = readExposition(fleetMetrics({ hosts: [], workloads: [] }, []));
  expect(empty('fleet_hosts_alive')).toBe(0);
  expect(empty('fleet_downtime_seconds_count')).toBe(0);
  const name = 'a"} 1\nnode_criu_fleet_hosts_alive 99\n\\x{y="z"}\u2028';
  const hosts = [sampleHost(name, { isAlive: false, isFenced: true })];
  const workloads = [sampleWorkload(name, name, { state: 'ended' })];
  const value = readExposition(fleetMetrics({ hosts, workloads }, []));
  expect(value('fleet_hosts_alive')).toBe(0);
  expect(value('fleet_hosts_fenced')).toBe(1);
  expect(value(`fleet_host_alive{host=${JSON.stringify(name)}}`)).toBe(0);
  expect(value(`fleet_host_workloads{host=${JSON.stringify(name)}}`)).toBe(0);
});

test('totals count each move once and do not decrease when the fleet forgets it', () => {
  const totals = new MoveTotals();
  const first = sampleOperation('1', [sampleMove('api', 20), sampleStep('db')]);
  totals.observe([first]);
  totals.observe([first]);
  expect(totals.ended).toEqual({ done: 1, failed: 0, cancelled: 0 });
  const second = sampleOperation('2', [sampleStep('web', { state: 'cancelled', bytes: 7 })]);
  const text = fleetMetrics(sampleView(), [second], totals);
  const value = readExposition(text);
  expect(value('fleet_moves_ended_total{state="done"}')).toBe(1);
  expect(value('fleet_moves_ended_total{state="cancelled"}')).toBe(1);
  expect(totals.bytes).toBe(2 ** 29 + 7);
});
