import { native } from '../native/index.ts';
import type { Uniqueness } from './guest.ts';
import type { RestoredMessage } from './protocol.ts';

/** What makes this process unique. */
export function uniqueness(): Uniqueness {
  return { prepare, makeUnique, apply };
}

async function prepare(): Promise<void> {
  reseed();
}

function makeUnique(): void {
  reseed();
}

function reseed(): void {
  if (!native().reseed()) throw new Error('the random generator of this Node cannot be reseeded');
}

function apply(message: RestoredMessage): void {
  for (const [name, value] of Object.entries(message.env ?? {})) {
    if (value === null) delete process.env[name];
    else process.env[name] = value;
  }
  if (message.args) process.argv.splice(2, process.argv.length, ...message.args);
}
