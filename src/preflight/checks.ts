import type { Check } from './checks/check.ts';
import * as connections from './checks/connections.ts';
import * as descriptors from './checks/descriptors.ts';
import * as files from './checks/files.ts';
import * as host from './checks/host.ts';
import * as memory from './checks/memory.ts';
import * as mounts from './checks/mounts.ts';
import * as namespaces from './checks/namespaces.ts';
import * as processes from './checks/processes.ts';
import * as terminals from './checks/terminals.ts';

/**
 * All checks, each with whether its findings make a pre-dump fail too. A pre-dump concerns only
 * processes and their memory; other findings make only the dump after it fail.
 */
export const checks: readonly (readonly [check: Check, stopsPreDump: boolean])[] = [
  [host.criuAndKernel, true],
  [host.capabilities, true],
  [host.foreignUsers, false],
  [host.space, true],
  [host.pipes, false],
  [processes.callerInTree, true],
  [processes.readable, true],
  [processes.traced, true],
  [processes.deadLeader, true],
  [processes.uninterruptible, true],
  [processes.pendingTraps, true],
  [namespaces.nestedNamespaces, true],
  [namespaces.namespaceInit, false],
  [({ snapshot, options }) => namespaces.unrestorableNamespaces(snapshot, options), false],
  [processes.procOfPidNamespace, true],
  [processes.sessionLeader, false],
  [processes.sessionInPidNamespace, false],
  [memory.unsupportedMappings, true],
  [memory.sysvMemory, false],
  [memory.protectionKeys, false],
  [memory.notLazy, false],
  [descriptors.ioUrings, false],
  [descriptors.unsupportedDescriptors, false],
  [descriptors.unsupportedDevices, false],
  [descriptors.pidfds, false],
  [descriptors.namespaceDescriptors, false],
  [descriptors.watches, false],
  [mounts.outsideMounts, false],
  [mounts.slaveMounts, false],
  [mounts.rootOfRestore, false],
  [files.mounts, false],
  [files.deletedFiles, false],
  [files.fileLocks, false],
  [terminals.orphanTerminals, false],
  [terminals.inheritedTerminals, false],
  [terminals.foreignSessions, false],
  [terminals.aliases, false],
  [connections.pipes, false],
  [connections.packetPipes, false],
  [connections.unixConnections, false],
  [connections.unixReplacements, false],
  [connections.brokenUnixConnections, false],
  [connections.unixInFlight, false],
  [connections.tcpConnections, false],
  [connections.tcpInFlight, false],
  [connections.unsupportedSockets, false],
  [connections.socketsOfOldCriu, false],
  [connections.uncheckedSockets, false],
];
