import { CriuError } from '../../errors.ts';

/** The error of an image that is missing or damaged: `OPERATION: PATH WHY, at byte OFFSET`. */
export function damaged(
  operation: string,
  path: string,
  why: string,
  offset?: number,
  cause?: unknown,
): CriuError {
  const place = offset === undefined ? '' : `, at byte ${offset}`;
  const details = { operation, path, offset, cause };
  return new CriuError('ERR_CRIU_BAD_IMAGE', `${operation}: ${path} ${why}${place}`, details);
}
