export type { ImageFinding, PreflightCode, PreflightFinding } from './index.ts';
export {
  type CheckpointReport,
  type CheckpointReportOptions,
  checkpointReport,
} from './report/checkpoint-report.ts';
