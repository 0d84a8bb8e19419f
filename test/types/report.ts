// Tests of the public types of node-criu/report, compiled as public.ts is.
import type { ImageFinding, PreflightFinding } from 'node-criu';
import {
  type CheckpointReport,
  type CheckpointReportOptions,
  checkpointReport,
} from 'node-criu/report';
import { same } from './same.ts';

export async function report(signal: AbortSignal): Promise<string> {
  const options: CheckpointReportOptions = { deep: true, diff: '/before', secrets: false, signal };
  const { html, ...found }: CheckpointReport = await checkpointReport('/images', options);
  await checkpointReport('/images', { preflight: false, path: '/usr/sbin/criu' });
  same<typeof found.defects, readonly ImageFinding[]>();
  same<typeof found.obstacles, readonly PreflightFinding[] | undefined>();
  // @ts-expect-error: the directory is missing
  await checkpointReport();
  // @ts-expect-error: one directory
  await checkpointReport('/images', { diff: ['/before'] });
  return html;
}
