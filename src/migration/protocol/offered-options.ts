import type {
  OfferRequest,
  OfferRequest__Output,
} from '../../generated/types/node_criu/OfferRequest.ts';
import type { DumpOptions } from '../../operations/dump.ts';
import { dotted } from '../../operations/known-versions.ts';
import { translate } from '../../options/translate.ts';
import type { CriuOpts } from '../../options/types.ts';
import { peerText } from './peer-text.ts';

/** How many characters of an unknown option a message shows. */
const MAX_NAME = 64;

/** Boolean options of a dump that its restore needs as well. */
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

/** The fields of an offer that carry options. */
export type OfferedOptions = Pick<
  OfferRequest__Output,
  'flags' | 'networkLock' | 'manageCgroupsMode' | 'cpuCap'
>;

/** The options of a dump that its restore needs as well, as the fields of an offer. */
export function toOfferedOptions(
  options: Partial<DumpOptions>,
): Pick<OfferRequest, keyof OfferedOptions & string> {
  const { networkLock, manageCgroupsMode, cpuCap } = options;
  const flags = Object.entries(options).flatMap(([name, value]) =>
    value === true && FLAGS.has(name) ? [name] : [],
  );
  const { wire } = translate('dump', { imagesDirectory: '/', cpuCap } as CriuOpts);
  return {
    flags,
    ...(networkLock && { networkLock }),
    ...(manageCgroupsMode && { manageCgroupsMode }),
    ...(wire.cpu_cap !== undefined && { cpuCap: wire.cpu_cap }),
  };
}

/** The options of the restore that an offer asks for. */
export function fromOfferedOptions(offer: OfferedOptions): CriuOpts {
  const { flags, networkLock, manageCgroupsMode, cpuCap } = offer;
  return {
    ...Object.fromEntries(flags.map((flag) => [flag, true])),
    ...(networkLock && { networkLock }),
    ...(manageCgroupsMode && { manageCgroupsMode }),
    ...(cpuCap !== undefined && { cpuCap }),
  } as CriuOpts;
}

/** Reports each option of an offer that a restore does not accept from a peer. */
export function checkOfferedOptions(
  offer: OfferedOptions,
  object: (message: string) => void,
): void {
  if (offer.flags.length > FLAGS.size) {
    object('It asks for more options than there are.');
    return;
  }
  for (const flag of offer.flags.filter((name) => !FLAGS.has(name))) {
    object(
      `It asks for the option ${JSON.stringify(peerText(flag, MAX_NAME))}, which a peer may not set.`,
    );
  }
  for (const [name, value] of Object.entries(fromOfferedOptions({ ...offer, flags: [] }))) {
    try {
      translate('restore', { imagesDirectory: '/', [name]: value });
    } catch (error) {
      object(`Its ${(error as Error).message.replace(/^restore: (option )?/, 'option ')}.`);
    }
  }
}

/** The option of a restore that this host's CRIU is too old for; undefined if there is none. */
export function unsupportedOption(
  options: CriuOpts,
  criu: number,
): { readonly option: string; readonly since: string } | undefined {
  const { newest } = translate('restore', { ...options, imagesDirectory: '/' });
  if (!newest || newest.since <= criu) return undefined;
  return { option: newest.option, since: dotted(newest.since) };
}
