import protobuf from 'protobufjs';
import type { CriuRequest, CriuResponse } from '../../src/protocol/messages.ts';

/** All messages of CRIU. protobufjs checks here what src/protobuf/ does in the library. */
export const definitions = new protobuf.Root()
  .loadSync(
    ['rpc', 'stats', 'pagemap', 'images'].map((name) => `proto/${name}.proto`),
    { keepCase: true },
  )
  .resolveAll();

/** Encodes a message. */
export function encodeMessage(name: string, message: object): Uint8Array {
  const type = definitions.lookupType(name);
  return type.encode(type.fromObject(message)).finish();
}

/** Decodes a message: 64-bit numbers become numbers, and enums their names. */
export function decodeMessage(name: string, bytes: Uint8Array): object {
  const type = definitions.lookupType(name);
  return type.toObject(type.decode(bytes), { longs: Number, enums: String });
}

/** Reads a request as CRIU would, for a scripted peer. */
export function decodeRequest(bytes: Uint8Array): CriuRequest {
  return decodeMessage('criu_req', bytes) as CriuRequest;
}

/** Writes a response as CRIU would, for a scripted peer. */
export function encodeResponse(response: CriuResponse): Uint8Array {
  return encodeMessage('criu_resp', response);
}
