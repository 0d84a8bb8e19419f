import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PLAIN, type TarEntry } from '../../src/containers/archive/tar-entry.ts';
import { type NewTarEntry, tarOf } from '../../src/containers/archive/tar-writer.ts';
import { temporaryDirectory } from './workload.ts';

/** An entry of a tar archive; its type is that of a file unless another is given. */
export type GivenEntry = Partial<TarEntry> & { readonly path: string; readonly text?: string };

/** A tar archive with these entries. */
export async function tarWith(...given: readonly GivenEntry[]): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of tarOf(entriesOf(given))) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* entriesOf(given: readonly GivenEntry[]): AsyncGenerator<NewTarEntry> {
  for (const { text, ...fields } of given) {
    const content = Buffer.from(text ?? '');
    yield { entry: { ...PLAIN, size: content.length, ...fields }, content: [content] };
  }
}

/** The least that a checkpoint archive has. */
export const members: readonly GivenEntry[] = [
  {
    path: 'config.dump',
    text: JSON.stringify({
      id: 'a1b2',
      name: 'web',
      rootfsImageName: 'localhost/web:latest',
      rootfsImageID: 'c3d4',
      runtime: 'runc',
      createdTime: '2026-01-02T03:04:05Z',
      checkpointedTime: '0001-01-01T00:00:00Z',
    }),
  },
  {
    path: 'spec.dump',
    text: JSON.stringify({
      ociVersion: '1.0.2',
      process: { args: ['sleep', '1000'] },
      annotations: { 'io.container.manager': 'libpod' },
    }),
  },
  { path: 'network.status', text: 'null' },
  { path: 'checkpoint/', type: 'directory', mode: 0o700 },
  { path: 'checkpoint/inventory.img', text: 'inventory' },
  { path: 'checkpoint/pages-1.img', text: 'pages' },
];

/** A file with these bytes in a directory of its own. */
export async function fileWith(bytes: Buffer, name = 'archive.tar'): Promise<string> {
  const path = join(await temporaryDirectory(), name);
  await writeFile(path, bytes);
  return path;
}
