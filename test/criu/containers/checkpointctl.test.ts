import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import {
  exportContainer,
  inspectCheckpointArchive,
  openContainer,
  readCheckpointArchive,
} from '../../../src/containers.ts';
import {
  type CheckpointDescription,
  type DescribedFile,
  type DescribedProcess,
  describeCheckpoint,
} from '../../../src/images.ts';
import { nginxBundle } from '../../helpers/nginx.ts';
import { client, temporaryDirectory, waitFor } from '../../helpers/workload.ts';

/** Installed by scripts/checkpointctl.sh. */
const checkpointctl = resolve('.cache/checkpointctl/checkpointctl');
/** CRIU's names of the types of files, which checkpointctl shows. */
const names: Readonly<Record<string, string>> = {
  ...{ regular: 'REG', pipe: 'PIPE', inet: 'INETSK', unix: 'UNIXSK' },
  ...{ epoll: 'EVENTPOLL', eventfd: 'EVENTFD' },
};

/** The path of a file as checkpointctl shows it. */
function pathOf(file: DescribedFile): string {
  if (file.type === 'regular') return file.path;
  if (file.type === 'pipe') return `pipe[${file.inode}]`;
  if (file.type === 'unix') return `unix[${file.inode} (${file.peer}) ]`;
  return `${names[file.type]}.${file.id}`;
}

function describedBy({ files }: CheckpointDescription, process: DescribedProcess) {
  const opened = process.descriptors.map(({ fd, file: id }) => {
    const file = files.find((each) => each.id === id);
    if (!file) throw new Error(`descriptor ${fd} is of no file`);
    return { fd, file };
  });
  const sockets = opened.flatMap(({ file }) => {
    if (file.type === 'unix') return [{ data: { type: 'UNIX' } }];
    if (file.type !== 'inet') return [];
    const { state, local } = file;
    const data = { type: 'TCP', state, src: local.address, src_port: local.port };
    return [expect.objectContaining({ protocol: 'TCP', data: expect.objectContaining(data) })];
  });
  return {
    open_files: [
      ...opened.map(({ fd, file }) => {
        const type = names[file.type];
        return { type, fd: `${type} ${fd}`, path: pathOf(file) };
      }),
      { type: '', fd: 'cwd', path: process.workingDirectory },
      { type: '', fd: 'root', path: process.rootDirectory },
    ],
    open_sockets: sockets,
  };
}

test('checkpointctl and node-criu see the same in an archive', async () => {
  const bundle = await nginxBundle();
  const running = await bundle.run('nginx');
  const ps = () => running.exec('ps', '-o', 'comm');
  await waitFor(() => ps().match(/^nginx$/gm)?.length === 3, 'nginx has its workers');
  const directory = await temporaryDirectory();
  const archive = join(directory, 'nginx.tar.gz');
  await exportContainer(await openContainer(client(), 'nginx', { root: bundle.root }), archive);
  const flags = ['--all', '--format', 'json'];
  const { stdout } = await execa(checkpointctl, ['inspect', ...flags, archive]);
  const [shown] = JSON.parse(stdout);

  const inspected = await inspectCheckpointArchive(archive);
  expect(shown).toMatchObject({ id: inspected.container.id, runtime: inspected.runtime });
  const unpacked = await readCheckpointArchive(archive, join(directory, 'unpacked'));
  const checkpoint = await describeCheckpoint(join(unpacked.directory, 'checkpoint'));
  const [master, ...workers] = checkpoint.processes;
  if (!master) throw new Error('there is no process');
  expect(workers).toHaveLength(2);
  const { children, ...top } = shown.process_tree;
  expect(top).toMatchObject({ pid: master.pid, command: master.name });
  expect(children).toHaveLength(2);
  for (const { pid, name } of workers) {
    expect(children).toContainEqual(expect.objectContaining({ pid, command: name }));
  }
  for (const process of checkpoint.processes) {
    const { pid } = process;
    const { open_files, open_sockets } = describedBy(checkpoint, process);
    expect(shown.file_descriptors).toContainEqual({ pid, open_files });
    expect(shown.sockets).toContainEqual({ pid, open_sockets });
  }
  const { stats } = checkpoint;
  expect(shown.statistics).toMatchObject({
    ...{ pages_scanned: stats?.pagesScanned, pages_written: stats?.pagesWritten },
    frozen_time: Math.round((stats?.frozenTimeMs ?? 0) * 1000),
  });
});
