import type { CriuError } from '../../src/index.ts';

/** The CriuError that an action throws or rejects with; fails if there is none. */
export async function failureOf(action: (() => unknown) | Promise<unknown>): Promise<CriuError> {
  try {
    await (typeof action === 'function' ? action() : action);
  } catch (error) {
    if (isCriuError(error)) return error;
    throw new Error('expected a CriuError', { cause: error });
  }
  throw new Error('expected a CriuError, and nothing failed');
}

/** Also true for an error of a module of src/ that a test calls beside the built library. */
function isCriuError(error: unknown): error is CriuError {
  return error instanceof Error && error.constructor.name === 'CriuError';
}
