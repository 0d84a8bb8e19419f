import { criu_req, criu_resp } from '../generated/messages.js';
import type { criu_opts__Output } from '../generated/types/criu_opts.ts';
import type { criu_req__Output } from '../generated/types/criu_req.ts';
import type { criu_resp__Output } from '../generated/types/criu_resp.ts';

/** A request, its enums by name. */
export type CriuRequest = criu_req__Output;

/** A response or notification, its enums by name. */
export type CriuResponse = criu_resp__Output;

/** The options of a request. */
export type CriuWireOpts = criu_opts__Output;

/** What a request asks for, and what a response answers. */
export type CriuRequestType = CriuRequest['type'];

/** What no packet can hold; a list of holes may claim to have four thousand times as many. */
const MAX_ELEMENTS = 1_000_000;
/** A field of an element of a list of the options of a request. */
const DEEPEST = 4;

const asValues = { longs: Number, enums: String };

/**
 * A request as CRIU reads it.
 * @throws TypeError that names the first field which CRIU would read otherwise than it is given
 * here: unknown, missing, out of range or of the wrong type.
 */
export function encodeRequest(request: CriuRequest): Uint8Array {
  refuseLongLists(request);
  const bytes = criu_req.encode(criu_req.fromObject(request)).finish();
  // The codec leaves out what it does not know, makes wrong values fit (a number out of 'x' is 0)
  // and fills in required fields. Reading the bytes again shows all of it.
  const path = firstDifference(request, criu_req.toObject(criu_req.decode(bytes), asValues));
  if (path !== undefined) throw new TypeError(`the request's ${path} cannot be sent as it is`);
  return bytes;
}

/**
 * Reads a packet from CRIU. Fields that CRIU has and we do not know are skipped.
 * @throws Error if it is not a whole response. A `type` that we do not know counts as missing.
 */
export function decodeResponse(bytes: Uint8Array): CriuResponse {
  return criu_resp.toObject(criu_resp.decode(bytes), asValues);
}

/** The codec would walk through them, element by element, and nothing else could happen meanwhile. */
function refuseLongLists(value: unknown, depth = 0): void {
  if (!isObject(value)) return;
  if (Array.isArray(value) && value.length > MAX_ELEMENTS) {
    throw new TypeError('the request has a list that is too long to be sent');
  }
  if (depth === DEEPEST) return;
  for (const one of Object.values(value)) refuseLongLists(one, depth + 1);
}

/** The path of the first value in which two messages differ. The wire knows no empty lists. */
function firstDifference(sent: unknown, read: unknown, path: string[] = []): string | undefined {
  if (isObject(sent) && isObject(read)) {
    if (kindOf(sent) !== kindOf(read)) return path.join('.');
    for (const key of new Set([...Object.keys(sent), ...Object.keys(read)])) {
      const found = firstDifference(sent[key], read[key], [...path, key]);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  const same = sent === read || (Array.isArray(sent) && sent.length === 0 && read === undefined);
  return same ? undefined : path.join('.');
}

/** A Map, say, is no message, though it has no key that would be overlooked. */
function kindOf(value: object): string {
  return Object.prototype.toString.call(value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
