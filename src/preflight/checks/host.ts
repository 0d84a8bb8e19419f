import type { CriuErrorCode } from '../../errors.ts';
import type { PreflightCode, PreflightFinding } from '../../finding.ts';
import {
  CAP_CHECKPOINT_RESTORE,
  CAP_SYS_ADMIN,
  CAP_SYS_RESOURCE,
  hasCapability,
} from '../../procfs/capability.ts';
import { canRun } from '../host.ts';
import { type Check, found, nameOf, type Subject } from './check.ts';

/** What the checks of criu and the kernel read, for a dump and for a restore. */
type HostSubject = Pick<Subject, 'host' | 'options'> & {
  readonly snapshot: { readonly root: { readonly pid: number } };
};

const codes: Partial<Record<CriuErrorCode, readonly [PreflightCode, string]>> = {
  ERR_CRIU_TOO_OLD: ['CRIU_TOO_OLD', 'Install a newer CRIU, or omit the option.'],
  ERR_CRIU_NO_MEM_TRACK: [
    'NO_MEM_TRACK',
    'Make a full dump, without preDump, parentImage and trackMem, or use a kernel with CONFIG_MEM_SOFT_DIRTY.',
  ],
  ERR_CRIU_NO_LAZY_PAGES: ['NO_LAZY_PAGES', 'Omit lazyPages, or use a kernel with userfaultfd.'],
  ERR_CRIU_FAILED: ['KERNEL_UNSUITABLE', 'Run criu check for details, or use another kernel.'],
};
const unusable = [
  'CRIU_UNUSABLE',
  'Install criu, or set the option path or the environment variable CRIU_PATH.',
] as const;

export const criuAndKernel = ({ snapshot: { root }, host }: HostSubject): PreflightFinding[] =>
  host.refusals.map(({ code, message }) => {
    const [known, remedy] = codes[code] ?? unusable;
    return found(known, root, { message: message.replace(/^(preflight|check): /, ''), remedy });
  });

export const capabilities = ({
  snapshot: { root },
  host,
  options,
}: HostSubject): PreflightFinding[] => {
  if (canRun(host, options)) return [];
  const mask = host.capabilities;
  if (hasCapability(mask, CAP_SYS_ADMIN) || hasCapability(mask, CAP_CHECKPOINT_RESTORE)) {
    return [
      found('MISSING_CAPABILITY', root, {
        message: 'criu would not run as root',
        remedy: 'Set unprivileged, or run as root.',
      }),
    ];
  }
  return [
    found('MISSING_CAPABILITY', root, {
      message: 'criu would have neither CAP_SYS_ADMIN nor CAP_CHECKPOINT_RESTORE',
      remedy:
        'Run as root with all capabilities, or run setcap cap_checkpoint_restore+eip on the criu binary.',
    }),
  ];
};

export const pipes: Check = ({ snapshot: { root }, host: { smallPipes } }) => {
  if (!smallPipes) return [];
  const { needed, limit } = smallPipes;
  return [
    found('NO_LAZY_PAGES', root, {
      message: `CRIU needs pipes of ${needed} bytes to serve pages, and fs.pipe-max-size is ${limit}`,
      remedy: `Run sysctl -w fs.pipe-max-size=${needed}, or give this process CAP_SYS_RESOURCE.`,
    }),
  ];
};

/** CRIU reads limits by prlimit(2). Source: check_prlimit_permission in Linux's kernel/sys.c. */
export const foreignUsers: Check = ({ snapshot: { processes, caller }, host }) => {
  if (host.isService || hasCapability(host.capabilities, CAP_SYS_RESOURCE)) return [];
  const [uid, gid] = [process.getuid?.(), process.getgid?.()];
  return processes
    .filter(({ namespaces }) => namespaces.get('user') === caller.namespaces.get('user'))
    .filter(({ status: { uids, gids } }) => {
      return uids.some((one) => one !== uid) || gids.some((one) => one !== gid);
    })
    .map((process) =>
      found('MISSING_CAPABILITY', process, {
        message: `${nameOf(process)} runs as user ${process.status.uids[0]} and group ${process.status.gids[0]}, and criu would lack CAP_SYS_RESOURCE, which it needs for processes of others`,
        remedy:
          'Give criu the capability CAP_SYS_RESOURCE (in a container: --cap-add SYS_RESOURCE), or start the program as the user and group of criu.',
      }),
    );
};

export const space: Check = (subject) => {
  const { snapshot, host } = subject;
  const needed = imagesSize(subject);
  if (!host.images || needed <= host.images.free) return [];
  const { path, free } = host.images;
  return [
    found('NO_SPACE', snapshot.root, {
      message: `the images need about ${needed} bytes, and ${path} has ${free} bytes free`,
      remedy: 'Use another imagesDirectory, free some space, or send the memory to a pageServer.',
    }),
  ];
};

/** A lower bound of the images' size: shared memory may be the same in all processes. */
function imagesSize({ snapshot: { processes }, options }: Subject): number {
  const { pageServer, lazyPages, parentImage, compress, stream } = options;
  if (pageServer || lazyPages || parentImage !== undefined || compress || stream) return 0;
  const own = processes.reduce((sum, { status }) => sum + status.anonymous + status.swapped, 0);
  return own + Math.max(0, ...processes.map(({ status }) => status.shared));
}
