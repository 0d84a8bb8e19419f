import type { Mode__Output } from '../../generated/types/node_criu/Mode.ts';

/**
 * How the memory is moved.
 * - `stop-and-copy`: while the processes are frozen.
 * - `pre-copy`: in rounds while the processes run, and the rest while they are frozen. Needs a source
 *   kernel that tracks changed memory.
 * - `post-copy`: after the copy runs. If the source or the network fails meanwhile, what the copy has
 *   done is lost.
 * - `hybrid`: in rounds like `pre-copy`, and the rest like `post-copy`.
 */
export type MigrationMode = 'stop-and-copy' | 'pre-copy' | 'post-copy' | 'hybrid';

const wireModes = {
  'stop-and-copy': 'STOP_AND_COPY',
  'pre-copy': 'PRE_COPY',
  'post-copy': 'POST_COPY',
  hybrid: 'HYBRID',
} as const satisfies Record<MigrationMode, Mode__Output>;

/** All modes. */
export const MIGRATION_MODES = Object.keys(wireModes) as readonly MigrationMode[];

/** The mode as a value of the wire protocol. */
export function toWireMode(mode: MigrationMode): (typeof wireModes)[MigrationMode] {
  return wireModes[mode];
}

/** The mode of a message; undefined if this version does not know it. */
export function fromWireMode(wire: unknown): MigrationMode | undefined {
  return MIGRATION_MODES.find((mode) => wireModes[mode] === wire);
}

/** True if memory follows after the copy runs. */
export function isPostcopy(mode: MigrationMode | undefined): boolean {
  return mode === 'post-copy' || mode === 'hybrid';
}

/** True if memory is copied in rounds while the processes run. */
export function hasRounds(mode: MigrationMode | undefined): boolean {
  return mode === 'pre-copy' || mode === 'hybrid';
}
