import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import {
  inspectCheckpointArchive,
  pullCheckpointImage,
  pushCheckpointImage,
  readCheckpointImage,
  writeCheckpointArchive,
  writeCheckpointImage,
} from '../../../src/containers.ts';
import { fileWith, members, tarWith } from '../../helpers/archives.ts';
import { buildLibrary } from '../../helpers/built.ts';
import { Authority, HERE } from '../../helpers/certificates.ts';
import { failureOf } from '../../helpers/failures.ts';
import { countIn, countsBeyond, Podman, rootOf } from '../../helpers/podman.ts';
import { startRegistry, USER } from '../../helpers/registry.ts';
import { temporaryDirectory } from '../../helpers/workload.ts';

/** Installed by scripts/checkpointctl.sh. */
const checkpointctl = resolve('.cache/checkpointctl/checkpointctl');

test('podman restores an image that was pushed, and an image of podman is read', async () => {
  const podman = await Podman.start();
  await podman.start('web');
  const root = await rootOf(podman, 'web');
  await countsBeyond(root, 3);
  const directory = await temporaryDirectory();
  const at = (name: string) => join(directory, name);
  await podman.run('container', 'checkpoint', '--create-image', 'localhost/theirs:1', 'web');
  await podman.run('save', '--format', 'oci-archive', '-o', at('theirs.tar'), 'localhost/theirs:1');
  const theirs = await inspectCheckpointArchive(at('theirs.tar'));
  const prefix = 'io.podman.annotations.checkpoint.';
  const podmans = (annotations: object) =>
    Object.keys(annotations)
      .filter((name) => name.startsWith(prefix))
      .sort();
  expect(podmans(theirs.annotations)).toHaveLength(14);
  const unpacked = await readCheckpointImage(at('theirs.tar'), at('unpacked'));
  expect(unpacked).toMatchObject({ kind: 'podman', container: { name: 'web' } });
  await podman.remove('web');

  const registry = await startRegistry();
  const reference = `${registry}/checkpoints/web:1`;
  await pushCheckpointImage(unpacked.directory, reference, {
    ...{ plainHttp: true, annotations: { [`${prefix}runtime.version`]: '1.1.5' } },
  });
  const { annotations } = await inspectImage(reference);
  expect(podmans(annotations)).toEqual(podmans(theirs.annotations));
  expect(annotations).toMatchObject({
    [`${prefix}name`]: 'web',
    [`${prefix}runtime.name`]: 'runc',
    [`${prefix}runtime.version`]: '1.1.5',
    [`${prefix}rootfsImageID`]: theirs.image.id,
    'io.kubernetes.cri-o.annotations.checkpoint.name': 'web',
    'org.criu.checkpoint.engine.name': 'podman',
  });
  await podman.run('pull', '--tls-verify=false', reference);
  await podman.run('container', 'restore', reference);
  const restored = await rootOf(podman, 'web');
  await countsBeyond(restored, (await countIn(restored)) + 3);
});

test('skopeo copies an image from a layout into a registry that asks for a user, and back', async () => {
  const directory = await temporaryDirectory();
  const at = (name: string) => join(directory, name);
  await writeCheckpointImage(await fileWith(await tarWith(...members)), at('layout'), {
    name: 'web:1',
  });
  const registry = await startRegistry({ withUser: true });
  const reference = `${registry}/web:1`;
  const user = `${USER.username}:${USER.password}`;
  const copy = ['copy', '--dest-tls-verify=false', '--dest-creds', user];
  await execa('skopeo', [...copy, `oci:${at('layout')}:web:1`, `docker://${reference}`]);
  const options = { plainHttp: true, auth: USER };
  const pulled = await pullCheckpointImage(reference, at('pulled'), options);
  expect(pulled).toMatchObject({ kind: 'podman', container: { id: 'a1b2' }, compression: 'gzip' });

  for (const compression of ['none', 'gzip', 'zstd'] as const) {
    const mine = `${registry}/deep/er/web:${compression}`;
    const { digest } = await pushCheckpointImage(at('pulled'), mine, { ...options, compression });
    const byDigest = `${registry}/deep/er/web@${digest}`;
    const again = await pullCheckpointImage(byDigest, at(compression), options);
    expect(again).toMatchObject({ compression, bytes: pulled.bytes });
    const layout = `oci-archive:${at(`${compression}.tar`)}:web:1`;
    const back = ['copy', '--src-tls-verify=false', '--src-creds', user];
    await execa('skopeo', [...back, `docker://${mine}`, layout]);
    expect((await inspectCheckpointArchive(at(`${compression}.tar`))).members).toEqual(
      again.members,
    );
  }

  for (const auth of [undefined, { ...USER, password: 'wrong' }, { token: 'none' }]) {
    const access = { plainHttp: true, ...(auth && { auth }) };
    const refused = await failureOf(pullCheckpointImage(reference, at('refused'), access));
    expect(refused.code).toBe('ERR_CRIU_REGISTRY');
    expect(refused.message).toContain('401');
  }
  // Without plainHttp, nothing is sent in plain text.
  const secure = await failureOf(pullCheckpointImage(reference, at('refused'), { auth: USER }));
  expect(secure.code).toBe('ERR_CRIU_REGISTRY');
});

test('a registry with TLS is reached with the certificates that Node.js trusts', async () => {
  await buildLibrary();
  const authority = await Authority.create('authority');
  const reference = `${await startRegistry({ tls: await authority.issue(HERE) })}/web:1`;
  const archive = await fileWith(await tarWith(...members));
  const unknown = await failureOf(pushCheckpointImage(archive, reference));
  expect(unknown).toMatchObject({ code: 'ERR_CRIU_REGISTRY' });
  expect(unknown.message).toContain('certificate');
  const script = `
    import { pullCheckpointImage, pushCheckpointImage } from ${JSON.stringify(resolve('dist/containers.js'))};
    const [archive, reference, target] = process.argv.slice(1);
    await pushCheckpointImage(archive, reference);
    console.log((await pullCheckpointImage(reference, target)).container.id);`;
  const target = join(await temporaryDirectory(), 'pulled');
  const args = ['--input-type=module', '-e', script, archive, reference, target];
  const env = { NODE_EXTRA_CA_CERTS: authority.cert };
  expect((await execa(process.execPath, args, { env })).stdout).toBe('a1b2');
});

test('checkpointctl shows an archive that was written', async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, 'web.tar');
  await writeCheckpointImage(await fileWith(await tarWith(...members)), join(directory, 'image'));
  const unpacked = await readCheckpointImage(join(directory, 'image'), join(directory, 'unpacked'));
  await writeCheckpointArchive(file, { directory: unpacked.directory });
  const { stdout } = await execa(checkpointctl, ['show', file]);
  expect(stdout).toMatch(/web .*localhost\/web:latest .*a1b2 .*runc .*Podman/);
});

/** What skopeo says about an image in a registry: its manifest. */
async function inspectImage(reference: string) {
  const args = ['inspect', '--raw', '--tls-verify=false', `docker://${reference}`];
  return JSON.parse((await execa('skopeo', args)).stdout);
}
