import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cancellation } from '../../concurrency/cancellation.ts';
import { CriuError } from '../../errors.ts';
import type { PreflightFinding } from '../../finding.ts';
import { type Checkpoint, readCheckpoint } from '../../images/checkpoint.ts';
import { BadImage } from '../../images/image-file.ts';
import { treePids } from '../../images/pstree.ts';
import { verifyImages } from '../../images/verify.ts';
import { native } from '../../native/index.ts';
import { checkOptions } from '../../options/check.ts';
import { directoryPath } from '../../options/kinds.ts';
import { operationOptions } from '../../options/operation-options.ts';
import type { CriuOpts, OperationOptions } from '../../options/types.ts';
import { statOf } from '../../procfs/read.ts';
import { found } from '../checks/check.ts';
import { capabilities, criuAndKernel } from '../checks/host.ts';
import { canRun, type Host, type HostFacts, readHost } from '../host.ts';
import { bySeverity, type PreflightClient, untilCancelled } from '../preflight.ts';
import { addresses } from './addresses.ts';
import { cgroups } from './cgroups.ts';
import { pipes, tcpConnections, unixConnections } from './connections.ts';
import { externalFiles, fileLocks, files } from './files.ts';
import { ids } from './ids.ts';
import { externalMounts, mountRoot } from './mounts.ts';
import { type PreflightRestoreOptions, restorePlanFor } from './options.ts';
import type { RestoreCheck } from './subject.ts';
import { terminals } from './terminals.ts';

const OPERATION = 'preflightRestore';

const checks: readonly RestoreCheck[] = [
  ...[ids, files, externalFiles, fileLocks, mountRoot, externalMounts, terminals],
  ...[addresses, tcpConnections, unixConnections, pipes, cgroups],
];

/** The checks of what is only on the host of the criu of a service. */
const local: ReadonlySet<RestoreCheck> = new Set([ids, files, mountRoot, addresses, cgroups]);

/** How the preflight of a restore asks criu about itself, the kernel and the processor. */
export type RestoreHost = Exclude<Host, 'known'> & {
  /** Makes a CPUINFO_CHECK request. */
  cpuinfoCheck(options: CpuOptions): Promise<void>;
};
type CpuOptions = Pick<CriuOpts, 'imagesDirectory' | 'workDirectory' | 'cpuCap'> & OperationOptions;

/** Reports what would make a restore of images fail. It only reads. */
export async function preflightRestore(
  client: PreflightClient,
  given: PreflightRestoreOptions,
  host: RestoreHost | 'known',
): Promise<PreflightFinding[]> {
  const { signal, deadlineMs, gracePeriodMs, hooks } = given;
  checkOptions(OPERATION, { signal, deadlineMs, gracePeriodMs, hooks }, operationOptions);
  using cancellation = new Cancellation(OPERATION, { signal, deadlineMs, gracePeriodMs });
  cancellation.throwIfRequested();
  const plan = await restorePlanFor(OPERATION, given, client.defaults);
  // Rejects on another platform, which has none of what is read.
  native();
  const asking = readHost(client, plan, host, cancellation);
  const looking = look(plan.options, host, asking, cancellation);
  return await untilCancelled(OPERATION, looking, asking, cancellation);
}

async function look(
  options: PreflightRestoreOptions,
  host: RestoreHost | 'known',
  asking: Promise<HostFacts>,
  cancellation: Cancellation,
): Promise<PreflightFinding[]> {
  const facts = await asking;
  // A question to criu that was cancelled is not a finding.
  cancellation.throwIfRequested();
  const directory = directoryPath(options.imagesDirectory);
  const { root, defects, checkpoint } = await readImages(directory);
  const subject = { snapshot: { root }, host: facts, options };
  const findings = [...criuAndKernel(subject), ...capabilities(subject), ...defects];
  if (host !== 'known' && facts.refusals.length === 0 && canRun(facts, options)) {
    findings.push(...(await processor(root, options, host, cancellation)));
  }
  for (const check of checkpoint ? checks : []) {
    cancellation.throwIfRequested();
    if (facts.isService && local.has(check)) continue;
    findings.push(
      ...(await check({ checkpoint: checkpoint as Checkpoint, options, cancellation })),
    );
  }
  return findings.sort(bySeverity);
}

interface Images {
  readonly root: { readonly pid: number };
  readonly defects: readonly PreflightFinding[];
  /** Undefined if the images are damaged. */
  readonly checkpoint?: Checkpoint;
}

/** @throws CriuError ERR_CRIU_BAD_IMAGE if the directory holds no checkpoint */
async function readImages(directory: string): Promise<Images> {
  const [pid] = treePids(directory);
  if (pid === undefined) {
    const message = `${OPERATION}: ${directory} holds no checkpoint: its pstree.img is missing or damaged`;
    throw new CriuError('ERR_CRIU_BAD_IMAGE', message, { operation: OPERATION });
  }
  const root = { pid };
  const remedy = 'Restore another checkpoint; this one is damaged.';
  const damaged = (message: string) => found('BAD_IMAGES', root, { message, remedy });
  const defects = await verifyImages(directory);
  if (defects.length > 0) {
    return { root, defects: defects.map(({ message }) => damaged(message.replace(/\.$/, ''))) };
  }
  try {
    return { root, defects: [], checkpoint: await readCheckpoint(directory) };
  } catch (error) {
    if (!(error instanceof BadImage)) throw error;
    return { root, defects: [damaged(`an image in ${directory} ${error.message}`)] };
  }
}

/** Compares this processor with its description, if the images have one. */
async function processor(
  root: { readonly pid: number },
  { imagesDirectory, cpuCap }: PreflightRestoreOptions,
  host: RestoreHost,
  cancellation: Cancellation,
): Promise<PreflightFinding[]> {
  const directory = directoryPath(imagesDirectory);
  if (!(await statOf(join(directory, 'cpuinfo.img')))) return [];
  // Without one of its own, criu would write its log to the images.
  const workDirectory = await mkdtemp(join(tmpdir(), 'node-criu-preflight-'));
  try {
    const { signal, graceMs: gracePeriodMs } = cancellation;
    const given = { imagesDirectory: directory, workDirectory, signal, gracePeriodMs };
    await host.cpuinfoCheck(cpuCap === undefined ? given : { ...given, cpuCap });
    return [];
  } catch (error) {
    if (!(error instanceof CriuError) || error.code !== 'ERR_CRIU_FAILED') throw error;
    const message = `this processor lacks what the images need: ${error.message.replace(/^cpuinfoCheck: /, '')}`;
    const remedy = 'Restore on a host with a processor like that of the dump.';
    return [found('CPU_UNSUITABLE', root, { severity: 'warning', message, remedy })];
  } finally {
    await rm(workDirectory, { recursive: true });
  }
}
