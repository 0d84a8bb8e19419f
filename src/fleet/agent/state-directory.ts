import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from '../../process/durable.ts';
import { remoteFiles } from '../../process/files.ts';
import { makePrivateDirectory } from '../../process/private-directory.ts';
import { replaceText } from '../../process/replaced-file.ts';

/** A directory of JSON files, each written durably before anybody acts on it. */
export class StateDirectory<T extends object> {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Makes the directory, and reads all of its files. */
  async load(): Promise<Map<string, T>> {
    await makePrivateDirectory(this.#directory, true);
    const found = new Map<string, T>();
    for (const file of await readdir(this.#directory)) {
      if (!file.endsWith('.json')) continue;
      found.set(file.slice(0, -'.json'.length), JSON.parse(await this.#read(file)) as T);
    }
    return found;
  }

  async #read(file: string): Promise<string> {
    return await readFile(join(this.#directory, file), 'utf8');
  }

  /** Writes a file. @param name has been checked to be safe as the name of a file */
  async write(name: string, value: T): Promise<void> {
    await replaceText(this.#pathOf(name), JSON.stringify(value), remoteFiles, true);
    await syncDirectory(this.#directory);
  }

  async remove(name: string): Promise<void> {
    await rm(this.#pathOf(name), { force: true });
    await syncDirectory(this.#directory);
  }

  #pathOf(name: string): string {
    return join(this.#directory, `${name}.json`);
  }
}
