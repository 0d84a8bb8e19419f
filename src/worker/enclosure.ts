/** Namespaces and mounts that a criu process gets of its own. */
export interface Enclosure {
  /** Flags of clone(2) for the namespaces to create. */
  readonly cloneFlags: number;
  /** The program of this package that prepares them and executes criu: see launcher(). */
  readonly launcher: string;
  /** Its steps, before `--`. */
  readonly steps: readonly string[];
}
