import { criu_req, criu_resp } from '../../src/generated/messages.js';
import type { CriuRequest, CriuResponse } from '../../src/protocol/messages.ts';

/** Reads a request as CRIU would, for a scripted peer. */
export function decodeRequest(bytes: Uint8Array): CriuRequest {
  return criu_req.toObject(criu_req.decode(bytes), { longs: Number, enums: String });
}

/** Writes a response as CRIU would, for a scripted peer. */
export function encodeResponse(response: CriuResponse): Uint8Array {
  return criu_resp.encode(criu_resp.fromObject(response)).finish();
}
