import { resolve } from 'node:path';
import type { CriuOpts } from '../options/types.ts';
import type { CriuWireOpts } from '../protocol/messages.ts';

/** The socket in the work directory where a restore finds the daemon. */
export const SOCKET_NAME = 'lazy-pages.socket';
/** The option with the images directory, by which a daemon is found in the list of processes. */
export const IMAGES_OPTION = '--images-dir';
export const DEFAULT_LOG_NAME = 'lazy-pages.log';
/** The number that the ready pipe has in the daemon. */
export const STATUS_FD = 3;
/** The number that a descriptor which only has to stay open has in the daemon. */
export const KEEP_ALIVE_FD = 32;

/** The arguments of `criu lazy-pages`, from the fields that an RPC request would have. */
export function lazyPagesArguments({
  wire,
  options,
  images,
  work,
}: {
  readonly wire: Partial<CriuWireOpts>;
  readonly options: CriuOpts;
  /** Absolute paths of the directories. */
  readonly images: string;
  readonly work: string;
}): string[] {
  const { ps, log_level: level = 2, tls, tls_no_cn_verify: unverified } = wire;
  const files = ['tls_cacert', 'tls_cacrl', 'tls_cert', 'tls_key'] as const;
  const server =
    ps?.fd === undefined
      ? ['--address', ps?.address ?? '', '--port', String(ps?.port)]
      : ['--ps-socket', String(ps.fd)];
  return [
    'lazy-pages',
    ...[IMAGES_OPTION, images, '--work-dir', work],
    ...['--log-file', options.logFile ?? DEFAULT_LOG_NAME, `-v${level}`],
    ...['--status-fd', String(STATUS_FD)],
    ...(ps ? ['--page-server', ...server] : []),
    ...(tls ? ['--tls'] : []),
    ...(unverified ? ['--tls-no-cn-verify'] : []),
    ...files.flatMap((field) =>
      wire[field] ? [`--${field.replaceAll('_', '-')}`, resolve(wire[field])] : [],
    ),
    ...(wire.config_file ? ['--config', resolve(wire.config_file)] : []),
  ];
}
