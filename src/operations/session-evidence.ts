import { join } from 'node:path';
import type { Evidence } from '../failure/cause.ts';
import { LogFile } from '../failure/log.ts';
import { readDescriptorLink } from '../procfs/descriptors.ts';
import { stateOf } from '../procfs/stat.ts';
import { tracerOf } from '../procfs/tracer.ts';
import type { CriuRequest, CriuWireOpts } from '../protocol/messages.ts';

/** CRIU's name of a log for which the request has none. */
const DEFAULT_LOG = 'criu.log';

const kinds: Readonly<Record<string, Evidence['kind']>> = {
  DUMP: 'dump',
  PRE_DUMP: 'dump',
  SINGLE_PRE_DUMP: 'dump',
  RESTORE: 'restore',
};

/**
 * Notes the state before a raw request is made, and returns a function that collects what an error of the
 * operation of the same kind would report.
 */
export async function watchRequest({
  type,
  opts,
}: CriuRequest): Promise<() => Promise<Partial<Evidence>>> {
  const kind = kinds[String(type)];
  if (!kind) return async () => ({});
  const path = opts && (await logPath(opts));
  const log = path === undefined ? undefined : await LogFile.at(path);
  const pid = kind === 'dump' ? opts?.pid : undefined;
  return async () => ({
    kind,
    log: await log?.read(),
    ...(typeof pid === 'number' && { pid, workload: stateOf(pid), tracer: await tracerOf(pid) }),
  });
}

/** The path of the log, as CRIU finds it; undefined if the request names no open directory. */
async function logPath(opts: CriuWireOpts): Promise<string | undefined> {
  const { log_file, log_to_stderr, work_dir_fd, images_dir_fd, images_dir } = opts;
  if (log_to_stderr && !log_file) return undefined;
  const fd = work_dir_fd ?? images_dir_fd;
  const directory =
    typeof fd === 'number' && fd >= 0
      ? await readDescriptorLink('self', fd).catch(() => undefined)
      : images_dir;
  const name = log_file || DEFAULT_LOG;
  // The request has not been validated yet.
  return typeof directory === 'string' && typeof name === 'string'
    ? join(directory, name)
    : undefined;
}
