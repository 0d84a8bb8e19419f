import type { OptionOf } from './table.ts';
import type { CriuOpts } from './types.ts';

/** Options of a dump that its restore needs as well. */
export type RememberedOption = (typeof rememberedOptions)[number];

/**
 * The options that a restore takes over from its dump. Others differ between the two, such as `external`, or
 * concern one host, such as `root`.
 */
export const rememberedOptions = [
  'autoExtMnt',
  'emptyNs',
  'enableFs',
  'evasiveDevices',
  'extMasters',
  'extSharing',
  'externalUnixConnections',
  'fileLocks',
  'linkRemap',
  'manageCgroups',
  'manageCgroupsMode',
  'shellJob',
  'skipMnt',
  'tcpClose',
  'tcpEstablished',
] as const satisfies readonly (OptionOf<'dump'> & OptionOf<'restore'> & keyof CriuOpts)[];
