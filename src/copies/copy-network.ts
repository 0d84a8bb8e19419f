import { closeSync, openSync } from 'node:fs';
import { CriuError, invalid } from '../errors.ts';
import { native } from '../native/index.ts';
import type { CriuOpts } from '../options/types.ts';
import { namespacePath } from '../procfs/namespaces.ts';
import type { CopyEnvironment } from './copy-options.ts';
import type { TemplateDescription } from './template-file.ts';
import type { TemplateNamespace } from './template-options.ts';

/** CRIU's name of the network namespace of a template that has one of its own. */
export const NETWORK = 'network';

/** The network namespace of a copy. */
export class NetworkOfCopy implements Disposable {
  /** The namespace to open sockets in: a descriptor, or -1 for that of this process. */
  readonly netns: number;
  /** True if nobody else can be in it. */
  readonly isNew: boolean;
  /** The options of the restore with which the copy gets it. */
  readonly options: Pick<CriuOpts, 'joinNs' | 'inheritFd'>;
  /** The namespaces that the copy has of its own, as a template: a network that it was given counts. */
  readonly namespaces: readonly TemplateNamespace[];
  readonly #close: () => void;
  #isOpen = true;

  /** Makes or opens the network that a copy is to have. @throws CriuError ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_SYSTEM */
  static of(
    operation: string,
    { network, publish = [] }: CopyEnvironment,
    { namespaces }: TemplateDescription,
  ): NetworkOfCopy {
    const isIsolated = namespaces.includes('net');
    const wanted = network ?? (isIsolated || publish.length > 0 ? 'own' : 'host');
    if (wanted === 'own') return NetworkOfCopy.#own(operation, namespaces);
    if (wanted !== 'host') return NetworkOfCopy.#existing(operation, wanted, namespaces);
    if (!isIsolated) return new NetworkOfCopy(-1, namespaces, () => {});
    return NetworkOfCopy.#existing(operation, namespacePath('self', 'net'), namespaces);
  }

  static #own(operation: string, namespaces: readonly TemplateNamespace[]): NetworkOfCopy {
    try {
      const netns = native().newNetwork();
      const close = () => native().close(netns);
      return new NetworkOfCopy(netns, namespaces, close, true);
    } catch (cause) {
      const message = `${operation}: cannot make a network namespace: ${(cause as Error).message}`;
      throw new CriuError('ERR_CRIU_SYSTEM', message, { operation, cause });
    }
  }

  static #existing(
    operation: string,
    path: string,
    namespaces: readonly TemplateNamespace[],
  ): NetworkOfCopy {
    try {
      const netns = openSync(path, 'r');
      return new NetworkOfCopy(netns, namespaces, () => closeSync(netns));
    } catch (error) {
      const takes = `'host', 'own' or the path of a network namespace (${(error as Error).message})`;
      throw invalid(operation, 'network', takes, path);
    }
  }

  /** @param namespaces those that the template has of its own */
  private constructor(
    netns: number,
    namespaces: readonly TemplateNamespace[],
    close: () => void,
    isNew = false,
  ) {
    const isIsolated = namespaces.includes('net');
    const isElsewhere = netns >= 0;
    this.netns = netns;
    this.isNew = isNew;
    this.options = isElsewhere ? optionsFor(netns, isIsolated) : {};
    this.namespaces = isElsewhere && !isIsolated ? [...namespaces, 'net'] : namespaces;
    this.#close = close;
  }

  /** Closes the descriptor: a namespace of its own ends with the copy. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#isOpen) this.#close();
    this.#isOpen = false;
  }
}

/** @param isIsolated the template has a network namespace of its own, which is external in its images */
function optionsFor(netns: number, isIsolated: boolean): NetworkOfCopy['options'] {
  if (isIsolated) return { inheritFd: { [NETWORK]: netns } };
  return { joinNs: [{ ns: 'net', nsFile: `/proc/${process.pid}/fd/${netns}` }] };
}
