import { check } from '../../options/check.ts';

/** How large the metadata of an offer may be, as JSON in UTF-8, in bytes. */
const MAX_BYTES = 256 << 10;
/** The first version of the protocol with metadata. */
export const METADATA_PROTOCOL = 2;

/** A value to send with an offer. */
export const metadata = check(
  'a value that JSON can represent, of at most 256 KiB',
  (value) => encodeMetadata(value) !== undefined,
);

/** The metadata as JSON; undefined if JSON cannot represent it or it is too large. */
export function encodeMetadata(value: unknown): string | undefined {
  const json: string | undefined = JSON.stringify(value);
  return json !== undefined && Buffer.byteLength(json) <= MAX_BYTES ? json : undefined;
}

/**
 * The metadata that a peer sends.
 * @throws Error if it is too large or no JSON
 */
export function decodeMetadata(json: string): unknown {
  if (Buffer.byteLength(json) > MAX_BYTES) throw new Error('it has more than 256 KiB');
  try {
    return JSON.parse(json);
  } catch {
    throw new Error('it is not JSON');
  }
}
