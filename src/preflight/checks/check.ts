import type { PreflightCode, PreflightFinding } from '../../finding.ts';
import type { HostFacts } from '../host.ts';
import type { PreflightOptions } from '../options.ts';
import type { Descriptor, OpenFile, ProcessFacts, Snapshot } from '../snapshot.ts';

/** The input of a check. */
export interface Subject {
  readonly snapshot: Snapshot;
  readonly host: HostFacts;
  readonly operation: 'dump' | 'preDump';
  readonly options: PreflightOptions;
}

/** Finds one kind of obstacle. */
export type Check = (subject: Subject) => readonly PreflightFinding[];

type Details = Pick<PreflightFinding, 'message' | 'remedy'> & {
  readonly fd?: number | undefined;
  readonly bytes?: number;
  readonly severity?: PreflightFinding['severity'];
};

/** Makes a finding; its severity is `error` by default. */
export function found(
  code: PreflightCode,
  { pid }: { readonly pid: number },
  { message, remedy, fd, bytes, severity = 'error' }: Details,
): PreflightFinding {
  const details = { ...(fd !== undefined && { fd }), ...(bytes !== undefined && { bytes }) };
  return { code, severity, pid, ...details, message, remedy };
}

/** `process 12 (node)` */
export function nameOf({ pid, stat }: Pick<ProcessFacts, 'pid' | 'stat'>): string {
  return `process ${pid} (${stat.name})`;
}

/** All descriptors of the tree, each with its process. */
export function descriptorsOf({ processes }: Snapshot): (readonly [ProcessFacts, Descriptor])[] {
  return processes.flatMap((process) =>
    process.descriptors.map((descriptor) => [process, descriptor] as const),
  );
}

/** All files of the tree, each with its process, and with its descriptor if it has one. */
export function filesOf({
  processes,
}: Snapshot): { process: ProcessFacts; file: OpenFile; descriptor: Descriptor | undefined }[] {
  return processes.flatMap((process) => [
    ...process.files.map((file) => ({ process, file, descriptor: undefined })),
    ...process.descriptors.flatMap((descriptor) =>
      descriptor.file ? [{ process, file: descriptor.file, descriptor }] : [],
    ),
  ]);
}

/** True if the options `external` or `inheritFd` contain a resource by CRIU's name of it. */
export function isExternal({ external, inheritFd }: PreflightOptions, id: string): boolean {
  const named = external?.some((one) => one === id || one.startsWith(`${id}:`));
  return named === true || (inheritFd !== undefined && Object.hasOwn(inheritFd, id));
}
