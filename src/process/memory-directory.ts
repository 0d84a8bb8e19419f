import { asCriuError, CriuError } from '../errors.ts';
import { native } from '../native/index.ts';

/** Closes the directories that nobody has closed. */
const forgotten = new FinalizationRegistry<number>((fd) => native().close(fd));

/**
 * A directory for secrets: in memory that is never swapped out, mounted nowhere, and gone with its last descriptor,
 * however the process ends. Only root can make one.
 */
export class MemoryDirectory implements Disposable {
  readonly #fd: number;
  #isOpen = true;

  /** @throws CriuError ERR_CRIU_NO_PERMISSION, ERR_CRIU_SYSTEM */
  static make(operation: string): MemoryDirectory {
    try {
      return new MemoryDirectory(native().memoryDirectory());
    } catch (error) {
      throw explained(operation, error as NodeJS.ErrnoException);
    }
  }

  private constructor(fd: number) {
    this.#fd = fd;
    forgotten.register(this, fd, this);
  }

  /** Its descriptor. */
  get fd(): number {
    return this.#fd;
  }

  /** A path of it, for this process and those that may look into it. No other path leads there. */
  get path(): string {
    return `/proc/${process.pid}/fd/${this.#fd}`;
  }

  /** Closes it. Idempotent. */
  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    forgotten.unregister(this);
    native().close(this.#fd);
  }
}

function explained(operation: string, error: NodeJS.ErrnoException): CriuError {
  const { code, message } = error;
  if (code === 'EPERM') {
    const needs = `${operation}: encryption needs CAP_SYS_ADMIN (${message})`;
    return new CriuError('ERR_CRIU_NO_PERMISSION', needs, { operation, cause: error });
  }
  if (code === 'ENOSYS') {
    const needs = `${operation}: encryption needs Linux 5.2 or newer (${message})`;
    return new CriuError('ERR_CRIU_SYSTEM', needs, { operation, cause: error });
  }
  return asCriuError(operation, error);
}
