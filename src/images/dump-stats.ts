import type { DumpStatsEntry } from '../generated/images/types.ts';
import type { Plain } from '../protobuf/decode.ts';

/** CRIU's measurements of a dump or pre-dump. Source: `dump_stats_entry` of `stats-dump`. */
export interface DumpStats {
  /** Time to stop all processes, in milliseconds. */
  readonly freezingTimeMs: number;
  /** Time for which the processes were frozen, in milliseconds: the downtime, as CRIU measures it. */
  readonly frozenTimeMs: number;
  /** Time to collect memory pages, in milliseconds. */
  readonly memdumpTimeMs: number;
  /** Time to write memory pages, in milliseconds. */
  readonly memwriteTimeMs: number;
  /** Pages examined. */
  readonly pagesScanned: number;
  /** Pages skipped because a parent image has them. */
  readonly pagesSkippedParent: number;
  /** Pages written. */
  readonly pagesWritten: number;
  /** Pages left in the processes, to be fetched after the restore. */
  readonly pagesLazy: number;
  /** Pipes that carried pages. */
  readonly pagePipes: number | undefined;
  /** Buffers of those pipes. */
  readonly pagePipeBufs: number | undefined;
  /** Shared pages examined. */
  readonly shpagesScanned: number | undefined;
  /** Shared pages skipped because a parent image has them. */
  readonly shpagesSkippedParent: number | undefined;
  /** Shared pages written. */
  readonly shpagesWritten: number | undefined;
  /** Time to resolve watched files, in milliseconds. */
  readonly irmapResolveMs: number | undefined;
  /** Memory written, in bytes: the pages written, private and shared. */
  readonly bytesWritten: number;
  /** Size of a page, in bytes. */
  readonly pageSize: number;
}

/** The measurements in the image of a dump. */
export function dumpStatsOf(dump: Plain<DumpStatsEntry>, pageSize: number): DumpStats {
  return {
    freezingTimeMs: dump.freezing_time / 1000,
    frozenTimeMs: dump.frozen_time / 1000,
    memdumpTimeMs: dump.memdump_time / 1000,
    memwriteTimeMs: dump.memwrite_time / 1000,
    pagesScanned: dump.pages_scanned,
    pagesSkippedParent: dump.pages_skipped_parent,
    pagesWritten: dump.pages_written,
    pagesLazy: dump.pages_lazy,
    pagePipes: dump.page_pipes,
    pagePipeBufs: dump.page_pipe_bufs,
    shpagesScanned: dump.shpages_scanned,
    shpagesSkippedParent: dump.shpages_skipped_parent,
    shpagesWritten: dump.shpages_written,
    irmapResolveMs: dump.irmap_resolve === undefined ? undefined : dump.irmap_resolve / 1000,
    bytesWritten: (dump.pages_written + (dump.shpages_written ?? 0)) * pageSize,
    pageSize,
  };
}
