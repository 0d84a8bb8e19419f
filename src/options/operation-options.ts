import { type Check, callbacks, check, type Shape } from './check.ts';
import { type Hooks, hookNames } from './hooks.ts';
import type { OperationOptions } from './types.ts';

/** The longest time that a timer of Node.js can wait. */
const MAX_MS = 0x7fffffff;

/** A time in milliseconds. */
export const milliseconds: Check = check(
  `milliseconds, an integer from 0 to ${MAX_MS}`,
  (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_MS,
);

/** Such as bytes per second. */
export const atLeastOne: Check = check(
  'a number of at least 1',
  (value) => typeof value === 'number' && value >= 1,
);

/** An object that only inherits from AbortSignal throws when `aborted` is read, and is refused. */
export const abortSignal: Check = check(
  'an AbortSignal',
  (value) => value instanceof AbortSignal && typeof value.aborted === 'boolean',
);

/** The options that every operation takes. */
export const limits: Shape<OperationOptions> = {
  signal: abortSignal,
  deadlineMs: milliseconds,
  gracePeriodMs: milliseconds,
};

/** The options that every operation with notifications takes. */
export const operationOptions: Shape<OperationOptions & { hooks?: Hooks | undefined }> = {
  ...limits,
  hooks: callbacks<Hooks>(hookNames),
};
