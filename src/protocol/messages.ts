import { criu_req, criu_resp } from '../generated/messages.js';
import type { criu_opts__Output } from '../generated/types/criu_opts.ts';
import type { criu_req__Output } from '../generated/types/criu_req.ts';
import type { criu_resp__Output } from '../generated/types/criu_resp.ts';

/** A request to CRIU. Enums are strings. Source: `criu_req`. */
export type CriuRequest = criu_req__Output;

/** A reply or a notification of CRIU. Enums are strings. Source: `criu_resp`. */
export type CriuResponse = criu_resp__Output;

/** The options of a request, under CRIU's own names. Source: `criu_opts`. */
export type CriuWireOpts = criu_opts__Output;

/** The type of a request, and of the reply to it. Source: `criu_req_type`. */
export type CriuRequestType = CriuRequest['type'];

/** More elements than fit into a packet. A sparse array can claim to have 4000 times as many. */
const MAX_ELEMENTS = 1_000_000;
/** The deepest level of a request: a field of an element of a list in the options. */
const MAX_DEPTH = 4;

const asValues = { longs: Number, enums: String };

/**
 * Encodes a request.
 * @throws TypeError with the name of the first field that CRIU would not read as it is given: it is
 * unknown, missing, out of range or of the wrong type
 */
export function encodeRequest(request: CriuRequest): Uint8Array {
  assertNoLongLists(request);
  const bytes = criu_req.encode(criu_req.fromObject(request)).finish();
  // The codec drops unknown fields, converts wrong values (the number of 'x' is 0) and fills in
  // required fields. Decoding the bytes reveals all three.
  const path = firstDifference(request, criu_req.toObject(criu_req.decode(bytes), asValues));
  if (path !== undefined)
    throw new TypeError(`the field ${path} of the request is unknown, missing or invalid`);
  return bytes;
}

/**
 * Decodes a packet from CRIU. Unknown fields are skipped, and an unknown `type` counts as missing.
 * @throws Error if the packet is not a complete response
 */
export function decodeResponse(bytes: Uint8Array): CriuResponse {
  return criu_resp.toObject(criu_resp.decode(bytes), asValues);
}

/** The codec visits each element synchronously, which would block the event loop. */
function assertNoLongLists(value: unknown, depth = 0): void {
  if (!isObject(value)) return;
  if (Array.isArray(value) && value.length > MAX_ELEMENTS) {
    throw new TypeError('the request has a list that is too long to be sent');
  }
  if (depth === MAX_DEPTH) return;
  for (const one of Object.values(value)) assertNoLongLists(one, depth + 1);
}

/** The path of the first difference between two messages. An empty list is not sent at all. */
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

/** Tells a plain object from a Map, whose entries are no properties. */
function kindOf(value: object): string {
  return Object.prototype.toString.call(value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
