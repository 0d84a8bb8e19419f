import { expect, test } from 'vitest';
import { channelOptions } from '../../src/migration/protocol/service.ts';
import { DEFAULT_STALL_MS } from '../../src/migration/protocol/stall-limit.ts';

const timeoutOf = (stallMs?: number) => channelOptions(stallMs)['grpc.keepalive_timeout_ms'];

test('without stallMs a source and a server wait equally long for the answer to a keepalive probe', () => {
  expect(timeoutOf()).toBe(10_000);
  expect(timeoutOf()).toBe(timeoutOf(DEFAULT_STALL_MS));
});

test('a slow host has as long as stallMs says, and a short stallMs leaves time for an answer', () => {
  expect(timeoutOf(60_000)).toBe(60_000);
  expect(timeoutOf(1)).toBe(5000);
});
