/** Options of a dump that its restore needs as well. */
export const FLAGS: ReadonlySet<string> = new Set([
  'tcpEstablished',
  'externalUnixConnections',
  'shellJob',
  'fileLocks',
  'linkRemap',
  'tcpClose',
  'evasiveDevices',
  'weakSysctls',
]);

/** The options of a dump that its restore needs as well, those that are true. */
export function flagsOf(options: object): string[] {
  return Object.entries(options).flatMap(([name, value]) =>
    value === true && FLAGS.has(name) ? [name] : [],
  );
}
