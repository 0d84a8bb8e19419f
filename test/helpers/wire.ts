import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import protobuf from 'protobufjs';
import type { CriuRequest, CriuResponse } from '../../src/protocol/messages.ts';

// The options of fields need this file, which protobufjs has but does not find by itself.
const descriptor = 'google/protobuf/descriptor';
const descriptorPath = createRequire(import.meta.url).resolve(`protobufjs/${descriptor}.json`);
protobuf.common(`${descriptor}.proto`, JSON.parse(readFileSync(descriptorPath, 'utf8')));

const protos = [
  'rpc.proto',
  'streamer.proto',
  ...readdirSync('proto/images').map((name) => `images/${name}`),
];

/** All messages of CRIU. protobufjs checks here what src/protobuf/ does in the library. */
export const definitions = new protobuf.Root()
  .loadSync(
    protos.map((name) => `proto/${name}`),
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
