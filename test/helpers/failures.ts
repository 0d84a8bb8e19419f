import { CriuError } from '../../src/index.ts';

/** The CriuError that an action throws or rejects with; fails if there is none. */
export async function failureOf(action: (() => unknown) | Promise<unknown>): Promise<CriuError> {
  try {
    await (typeof action === 'function' ? action() : action);
  } catch (error) {
    if (error instanceof CriuError) return error;
    throw new Error('expected a CriuError', { cause: error });
  }
  throw new Error('expected a CriuError, and nothing failed');
}
