import { CriuError, invalid, shownName } from '../errors.ts';

/**
 * The caller's own options, each read once: what they are must not change between the check and the
 * use, and no getter of theirs is to throw in between.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
export function readOptions<T extends object>(operation: string, given: T, what = 'options'): T {
  if (typeof given !== 'object' || given === null) {
    throw invalid(operation, what, 'an object', given);
  }
  const names = read(operation, what, () => Object.keys(given));
  const entries = names.map((name) => [
    name,
    read(operation, name, () => (given as Record<string, unknown>)[name]),
  ]);
  return Object.fromEntries(entries);
}

function read<T>(operation: string, option: string, reading: () => T): T {
  try {
    return reading();
  } catch (cause) {
    const message = `${operation}: ${shownName(option)} cannot be read`;
    throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation, option, cause });
  }
}
