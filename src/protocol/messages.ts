import { criu_req, criu_resp } from '../generated/messages.ts';
import type { criu_opts__Output } from '../generated/types/criu_opts.ts';
import type { criu_req__Output } from '../generated/types/criu_req.ts';
import type { criu_resp__Output } from '../generated/types/criu_resp.ts';
import { decode } from '../protobuf/decode.ts';
import { encode } from '../protobuf/encode.ts';

/** A request to CRIU. Enums are strings. Source: `criu_req`. */
export type CriuRequest = criu_req__Output;

/** A reply or a notification of CRIU. Enums are strings. Source: `criu_resp`. */
export type CriuResponse = criu_resp__Output;

/** The options of a request, under CRIU's own names. Source: `criu_opts`. */
export type CriuWireOpts = criu_opts__Output;

/** The type of a request, and of the reply to it. Source: `criu_req_type`. */
export type CriuRequestType = CriuRequest['type'];

/**
 * Encodes a request.
 * @throws TypeError with the name of the first field that CRIU would not read as it is given: it is
 * unknown, missing, out of range or of the wrong type
 */
export function encodeRequest(request: CriuRequest): Uint8Array {
  return encode(criu_req, request);
}

/**
 * Decodes a packet from CRIU. Unknown fields are skipped, and an unknown `type` counts as missing.
 * @throws Error if the packet is not a complete response
 */
export function decodeResponse(bytes: Uint8Array): CriuResponse {
  return decode(criu_resp, bytes);
}
