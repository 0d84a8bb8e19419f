import type { ProcessPages } from './tree-copy.ts';

/** Where the pages of a round go. */
export interface PageSink extends AsyncDisposable {
  /** Takes pages of a process, in ascending order of addresses; one process after the other. */
  add(pages: ProcessPages): Promise<void>;
  /** Completes the round. */
  finish(): Promise<void>;
}
