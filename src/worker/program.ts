/** A criu binary, as it is on disk now. */
export interface Program {
  /** Absolute path. */
  readonly path: string;
  /** Changes when the file is replaced, so that answers of the old binary are not reused. */
  readonly identity: string;
}
