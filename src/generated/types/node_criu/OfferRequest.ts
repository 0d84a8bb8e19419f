// Original file: proto/migration.proto

import type { Mode as _node_criu_Mode, Mode__Output as _node_criu_Mode__Output } from '../node_criu/Mode.ts';
import type { HostFacts as _node_criu_HostFacts, HostFacts__Output as _node_criu_HostFacts__Output } from '../node_criu/HostFacts.ts';

export interface OfferRequest {
  'protocol'?: (number);
  'id'?: (string);
  'mode'?: (_node_criu_Mode);
  'host'?: (_node_criu_HostFacts | null);
  'program'?: (string);
  'pids'?: (number)[];
  'memory'?: (number);
  'cpuinfo'?: (Buffer | Uint8Array | string);
  'flags'?: (string)[];
  'networkLock'?: (string);
  'manageCgroupsMode'?: (string);
  'cpuCap'?: (number);
  'oldestProtocol'?: (number);
  'addresses'?: (string)[];
  'localAddresses'?: (string)[];
  'connectedAddresses'?: (string)[];
  'metadata'?: (string);
  '_networkLock'?: "networkLock";
  '_manageCgroupsMode'?: "manageCgroupsMode";
  '_cpuCap'?: "cpuCap";
  '_metadata'?: "metadata";
}

export interface OfferRequest__Output {
  'protocol': (number);
  'id': (string);
  'mode': (_node_criu_Mode__Output);
  'host': (_node_criu_HostFacts__Output | null);
  'program': (string);
  'pids': (number)[];
  'memory': (number);
  'cpuinfo': (Buffer);
  'flags': (string)[];
  'networkLock'?: (string);
  'manageCgroupsMode'?: (string);
  'cpuCap'?: (number);
  'oldestProtocol': (number);
  'addresses': (string)[];
  'localAddresses': (string)[];
  'connectedAddresses': (string)[];
  'metadata'?: (string);
  '_networkLock'?: "networkLock";
  '_manageCgroupsMode'?: "manageCgroupsMode";
  '_cpuCap'?: "cpuCap";
  '_metadata'?: "metadata";
}
