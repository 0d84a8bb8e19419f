import { invalid } from '../../errors.ts';
import { anyObject, checkOptions, checkValue, required } from '../../options/check.ts';
import { text } from '../../options/kinds.ts';
import { abortSignal } from '../../options/operation-options.ts';
import { replaceFile } from '../../process/replaced-file.ts';
import { archiveFailure, untilAborted } from './archive-failure.ts';
import { archiveCompression, pathList } from './archive-options.ts';
import { compressed, compressionOf } from './compression.ts';
import { newMembers, packedMembers } from './packed-members.ts';
import { tarOf } from './tar-writer.ts';
import type { NewCheckpointArchive, RepackedCheckpointArchive } from './write-options.ts';

const output = {
  compression: archiveCompression,
  signal: abortSignal,
};

/**
 * Writes the checkpoint archive of a container, which `podman container restore --import` and CRI-O restore.
 * @param file it is made with mode 0600, and appears or is replaced when it is complete
 * @param options what it is made of: images and metadata, or the directory of an archive that was unpacked
 * @returns how many bytes it has
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_BAD_IMAGE if there are no images, ERR_CRIU_NOT_FOUND if zstd
 * is missing, ERR_CRIU_SYSTEM, ERR_CRIU_ABORTED
 * @example
 * ```ts
 * await writeCheckpointArchive('web.tar.gz', { imagesDirectory, spec, config: { id, name: 'web' } });
 * await writeCheckpointArchive('web.tar.zst', { directory: '/var/lib/unpacked/web' });
 * ```
 */
export async function writeCheckpointArchive(
  file: string,
  options: NewCheckpointArchive | RepackedCheckpointArchive,
): Promise<{ readonly bytes: number }> {
  const operation = 'writeCheckpointArchive';
  checkValue(operation, 'file', text, file);
  const { compression = compressionOf(file), signal, members } = read(operation, options);
  let bytes = 0;
  try {
    await replaceFile(file, async (handle) => {
      const tar = untilAborted(operation, signal, tarOf(members()));
      for await (const chunk of compressed(operation, tar, compression)) {
        bytes += chunk.length;
        await handle.writeFile(chunk);
      }
      await handle.sync();
    });
  } catch (error) {
    throw archiveFailure(operation, file, error);
  }
  return { bytes };
}

/** What an archive consists of, as its options say. */
function read(operation: string, options: NewCheckpointArchive | RepackedCheckpointArchive) {
  if (typeof options === 'object' && options !== null && 'directory' in options) {
    const shape = { ...output, directory: required(text) };
    const checked = checkOptions<RepackedCheckpointArchive>(operation, options, shape);
    return { ...checked, members: () => packedMembers(operation, checked.directory) };
  }
  const checked = checkOptions<NewCheckpointArchive>(operation, options, {
    ...output,
    imagesDirectory: required(text),
    spec: required(anyObject),
    config: required(anyObject),
    networkStatus: anyObject,
    rootfsDiff: text,
    deletedFiles: pathList,
    devShm: text,
    log: text,
  });
  for (const name of ['id', 'name'] as const) {
    const value = checked.config[name];
    if (!text.accepts(value)) throw invalid(operation, `config.${name}`, text.takes, value);
  }
  return { ...checked, members: () => newMembers(operation, checked) };
}
