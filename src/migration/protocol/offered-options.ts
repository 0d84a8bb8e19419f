import type {
  OfferRequest,
  OfferRequest__Output,
} from '../../generated/types/node_criu/OfferRequest.ts';
import type { DumpOptions } from '../../operations/dump.ts';
import { dotted } from '../../operations/probe.ts';
import { translate } from '../../options/translate.ts';
import type { CriuOpts } from '../../options/types.ts';

/** Options of a dump that its restore needs as well. */
const FLAGS: ReadonlySet<string> = new Set([
  'tcpEstablished',
  'externalUnixConnections',
  'shellJob',
  'fileLocks',
  'linkRemap',
  'tcpClose',
  'evasiveDevices',
  'weakSysctls',
]);

/** Options in an offer. */
export type Offered = Pick<
  OfferRequest__Output,
  'flags' | 'networkLock' | 'manageCgroupsMode' | 'hasCpuCap' | 'cpuCap'
>;

/** The options of a dump that its restore needs as well, as an offer has them. */
export function offeredOptions(
  options: Partial<DumpOptions>,
): Pick<OfferRequest, keyof Offered & string> {
  const { networkLock = '', manageCgroupsMode = '', cpuCap } = options;
  const flags = Object.entries(options).flatMap(([name, value]) =>
    value === true && FLAGS.has(name) ? [name] : [],
  );
  const { wire } = translate('dump', { imagesDirectory: '/', cpuCap } as CriuOpts);
  return {
    ...{ flags, networkLock, manageCgroupsMode },
    ...(wire.cpu_cap !== undefined && { hasCpuCap: true, cpuCap: wire.cpu_cap }),
  };
}

/** What an offer asks of the restore. */
export function askedOf(offer: Offered): CriuOpts {
  const { flags, networkLock, manageCgroupsMode, hasCpuCap, cpuCap } = offer;
  return {
    ...Object.fromEntries(flags.map((flag) => [flag, true])),
    ...(networkLock && { networkLock }),
    ...(manageCgroupsMode && { manageCgroupsMode }),
    ...(hasCpuCap && { cpuCap }),
  } as CriuOpts;
}

/** Whether the options of an offer are those that a restore takes from a peer, with values that it takes. */
export function checkOffered(offer: Offered, object: (message: string) => void): void {
  for (const flag of offer.flags.filter((name) => !FLAGS.has(name))) {
    object(`It asks for the option ${JSON.stringify(flag)}, which no restore takes from a peer.`);
  }
  for (const [name, value] of Object.entries(askedOf({ ...offer, flags: [] }))) {
    try {
      translate('restore', { imagesDirectory: '/', [name]: value });
    } catch (error) {
      object(`Its ${(error as Error).message.replace(/^restore: (option )?/, 'option ')}.`);
    }
  }
}

/** The option of a restore that this host's CRIU is too old for. */
export function tooNew(
  options: CriuOpts,
  criu: number,
): { readonly option: string; readonly since: string } | undefined {
  const { newest } = translate('restore', { ...options, imagesDirectory: '/' });
  if (!newest || newest.since <= criu) return undefined;
  return { option: newest.option, since: dotted(newest.since) };
}
