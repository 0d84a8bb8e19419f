import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { anyOf, specOf } from '../../src/containers/oci/containerd-spec.ts';
import {
  inspectCheckpointArchive,
  pullCheckpointImage,
  pushCheckpointImage,
  readCheckpointArchive,
  readCheckpointImage,
  writeCheckpointImage,
} from '../../src/containers.ts';
import { fileWith, members, tarWith } from '../helpers/archives.ts';
import { failureOf } from '../helpers/failures.ts';
import { type ScriptedRegistry, startScriptedRegistry } from '../helpers/scripted-registry.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

const digestOf = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

let archive: string;
let directory: string;
const at = (name: string) => join(directory, name);
beforeEach(async () => {
  directory = await temporaryDirectory();
  archive = await fileWith(await tarWith(...members));
});

describe('a layout', () => {
  test.each(['layout', 'layout.tar'])('as %s is read as it was written', async (name) => {
    const { digest } = await writeCheckpointImage(archive, at(name), { name: 'web:1' });
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    const inspected = await inspectCheckpointArchive(at(name));
    expect(inspected).toMatchObject({ kind: 'podman', compression: 'gzip' });
    expect(inspected.annotations).toMatchObject({
      'io.podman.annotations.checkpoint.name': 'web',
      'io.podman.annotations.checkpoint.conmon.version': 'unknown',
      'org.criu.checkpoint.rootfsImageName': 'localhost/web:latest',
    });
    const unpacked = await readCheckpointImage(at(name), at('unpacked'), { name: 'web:1' });
    expect(unpacked.members).toEqual(inspected.members);
    if (name.endsWith('.tar')) {
      const wrong = await failureOf(readCheckpointArchive(at(name), at('other')));
      expect(wrong.message).toContain('which readCheckpointImage reads');
    }
    const other = readCheckpointImage(at(name), at('other'), { name: 'web:2' });
    expect((await failureOf(other)).message).toContain('none is web:2 (web:1)');
    expect((await readdir(directory)).sort()).toEqual([name, 'unpacked']);
  });

  /** Changes the parts of a layout of which its manifest consists. */
  async function layoutWith(
    change: (manifest: { layers: object[]; annotations?: unknown }) => object,
  ): Promise<string> {
    await writeCheckpointImage(archive, at('layout'));
    const index = JSON.parse(await readFile(at('layout/index.json'), 'utf8'));
    const blob = (digest: string) => at(`layout/blobs/${digest.replace(':', '/')}`);
    const manifest = JSON.parse(await readFile(blob(index.manifests[0].digest), 'utf8'));
    const content = Buffer.from(JSON.stringify(change(manifest)));
    const digest = digestOf(content);
    await writeFile(blob(digest), content);
    Object.assign(index.manifests[0], { digest, size: content.length });
    await writeFile(at('layout/index.json'), JSON.stringify(index));
    return at('layout');
  }

  async function refusal(layout: string): Promise<string> {
    const { code, message } = await failureOf(readCheckpointImage(layout, at('unpacked')));
    expect(code).toBe('ERR_CRIU_BAD_IMAGE');
    expect(await readdir(directory)).not.toContain('unpacked');
    return message;
  }

  test('is refused if a blob is damaged, too short or too long', async () => {
    await writeCheckpointImage(archive, at('layout'));
    const blobs = await readdir(at('layout/blobs/sha256'));
    for (const blob of blobs) {
      const path = at(`layout/blobs/sha256/${blob}`);
      const content = await readFile(path);
      // Nothing depends on the configuration.
      if (content.includes('diff_ids')) continue;
      const damaged = Buffer.from(content);
      damaged.writeUInt8(damaged.readUInt8(9) ^ 1, 9);
      for (const bad of [damaged, content.subarray(1), Buffer.concat([content, content])]) {
        await writeFile(path, bad);
        await refusal(at('layout'));
      }
      await writeFile(path, content);
    }
    await readCheckpointImage(at('layout'), at('unpacked'));
  });

  test.each<[string, (layer: object) => object, string]>([
    ['two layers', (layer) => ({ layers: [layer, layer] }), 'it has 2 layers'],
    ['no layer', () => ({ layers: [] }), 'it has 0 layers'],
    ['layers that are none', () => ({ layers: { length: 1 } }), 'damaged'],
    ['a digest with a path', () => ({ layers: [{ digest: 'sha256:../../x' }] }), 'not valid'],
    ['another hash', () => ({ layers: [{ digest: 'md5:00', size: 1 }] }), 'not valid'],
    ['a negative size', (layer) => ({ layers: [{ ...layer, size: -1 }] }), 'not valid'],
    ['another size', (layer) => ({ layers: [{ ...layer, size: 7 }] }), 'has not its size'],
  ])('is refused with %s', async (_, change, why) => {
    const layout = await layoutWith(({ layers: [layer = {}] }) => change(layer));
    expect(await refusal(layout)).toContain(why);
  });

  test('takes no annotations but texts', async () => {
    const annotations = { a: 'b', c: 1, d: null };
    const layout = await layoutWith((manifest) => ({ ...manifest, annotations }));
    expect((await inspectCheckpointArchive(layout)).annotations).toEqual({ a: 'b' });
  });

  test('that is a hostile tar archive is refused', async () => {
    const index = { path: 'index.json', text: '{"manifests":[]}' };
    const blob = `blobs/sha256/${'0'.repeat(64)}`;
    for (const entry of [
      { path: '../index.json', text: '{}' },
      { path: '/index.json', text: '{}' },
      { path: 'index.json', type: 'symlink', target: '/etc/passwd' } as const,
      { path: blob, type: 'link', target: '/etc/passwd' } as const,
    ]) {
      await refusal(await fileWith(await tarWith(index, entry)));
    }
    expect(await refusal(await fileWith(await tarWith(index)))).toContain('it has 0 images');
    expect(await refusal(await fileWith(await tarWith(index, index)))).toContain('comes twice');
    expect(await refusal(archive)).toContain('no layout of an OCI image');
    // A link in a directory is the user's own.
    await mkdir(at('empty'));
    await symlink('/nowhere', at('empty/index.json'));
    expect((await failureOf(readCheckpointImage(at('empty'), at('x')))).code).toBe(
      'ERR_CRIU_SYSTEM',
    );
  });
});

describe('a registry', () => {
  let registry: ScriptedRegistry;
  const options = { plainHttp: true };
  const user = { username: 'me', password: 'secret' };
  beforeEach(async () => {
    registry = await startScriptedRegistry();
  });
  const reference = (rest = '/team/web:1') => `${registry.address}${rest}`;

  test('takes an image that goes there while it is made, and gives it back', async () => {
    const { digest } = await pushCheckpointImage(archive, reference(), options);
    for (const [name, content] of registry.blobs) expect(digestOf(content)).toBe(name);
    for (const version of [':1', `@${digest}`]) {
      const pulled = await pullCheckpointImage(
        reference(`/team/web${version}`),
        at('new'),
        options,
      );
      expect(pulled).toMatchObject({ container: { id: 'a1b2' }, compression: 'gzip' });
      await rm(at('new'), { recursive: true });
    }
    const missing = pullCheckpointImage(reference('/team/web:2'), at('new'), options);
    expect(await failureOf(missing)).toMatchObject({ code: 'ERR_CRIU_REGISTRY' });
  });

  test('that wants a token gets one, and no password', async () => {
    registry.intercept = ({ url = '', headers }, response) => {
      const { authorization } = headers;
      const challenge = `Bearer realm="http://${registry.address}/token",service="tests",scope="pull,push"`;
      if (url.startsWith('/token?service=tests&scope=pull%2Cpush')) {
        const basic = `Basic ${Buffer.from('me:secret').toString('base64')}`;
        expect(authorization).toBe(basic);
        response.end('{"token":"T"}');
      } else if (authorization !== 'Bearer T') {
        response.writeHead(401, { 'www-authenticate': challenge }).end();
      } else {
        return false;
      }
      return true;
    };
    await pushCheckpointImage(archive, reference(), { ...options, auth: user });
    const given = registry.requests.map(({ authorization }) => authorization?.split(' ')[0]);
    expect(given.slice(0, 4)).toEqual([undefined, 'Basic', 'Bearer', 'Bearer']);
    expect(given.filter((scheme) => scheme === 'Basic')).toHaveLength(1);
    await pullCheckpointImage(reference(), at('new'), { ...options, auth: { token: 'T' } });
  });

  test('gets no password for another host, and no secret is in an error', async () => {
    const other = await startScriptedRegistry();
    registry.intercept = (_, response) => {
      const challenge = `Bearer realm="http://${other.address}/token"`;
      response.writeHead(401, { 'www-authenticate': challenge }).end();
      return true;
    };
    const auth = { ...options, auth: user };
    const realm = await failureOf(pushCheckpointImage(archive, reference(), auth));
    expect(realm).toMatchObject({ code: 'ERR_CRIU_REGISTRY' });
    expect(realm.message).toContain('without encryption');
    expect(realm.message).not.toContain('secret');

    registry.intercept = ({ headers, method }, response) => {
      if (headers.authorization === undefined) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      } else if (method === 'POST') {
        response.writeHead(202, { location: `http://${other.address}/v2/u?state=secret` }).end();
      } else return false;
      return true;
    };
    other.intercept = (_, response) => {
      response.writeHead(403).end('no');
      return true;
    };
    const upload = await failureOf(pushCheckpointImage(archive, reference(), auth));
    expect(upload.message).toContain(`PATCH http://${other.address}/v2/u: 403 no`);
    expect(other.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  test('that gives other bytes is not believed', async () => {
    const { digest } = await pushCheckpointImage(archive, reference(), options);
    const pull = (rest?: string) =>
      failureOf(pullCheckpointImage(reference(rest), at('new'), options));
    for (const [name, content] of registry.blobs) {
      if (content.includes('diff_ids')) continue;
      registry.blobs.set(name, content.subarray(0, -1));
      expect((await pull()).code).toBe('ERR_CRIU_BAD_IMAGE');
      registry.blobs.set(name, Buffer.alloc(content.length));
      expect((await pull()).code).toBe('ERR_CRIU_BAD_IMAGE');
    }
    const manifest = registry.manifests.get('1');
    if (!manifest) throw new Error('there is no manifest');
    registry.manifests.set(digest, { ...manifest, content: Buffer.from('{}') });
    expect((await pull(`/team/web@${digest}`)).message).toContain('is damaged');
    registry.manifests.set('1', { ...manifest, content: Buffer.alloc(5 << 20, ' ') });
    expect((await pull()).message).toContain('too large');
    registry.manifests.set('1', { ...manifest, type: 'text/html' });
    expect((await pull()).message).toContain('text/html, no image');
    expect(await readdir(directory)).toEqual([]);
  });

  test('has an index, of which the image for this architecture is taken', async () => {
    const { digest } = await pushCheckpointImage(archive, reference(), options);
    const manifest = registry.manifests.get('1');
    if (!manifest) throw new Error('there is no manifest');
    const type = 'application/vnd.oci.image.index.v1+json';
    const put = (manifests: object[]) =>
      registry.manifests.set('2', { type, content: Buffer.from(JSON.stringify({ manifests })) });
    const entry = (name: string, size: number) => ({
      ...{ mediaType: manifest.type, digest: name, size },
    });
    const other = { ...entry(`sha256:${'0'.repeat(64)}`, 1), platform: { architecture: 'z80' } };
    const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
    const mine = { ...entry(digest, manifest.content.length), platform: { architecture } };
    put([other, mine]);
    await pullCheckpointImage(reference('/team/web:2'), at('new'), options);
    put([]);
    const empty = pullCheckpointImage(reference('/team/web:2'), at('other'), options);
    expect((await failureOf(empty)).message).toContain('no image');
  });

  test('is not waited for after a signal', async () => {
    const stop = new AbortController();
    registry.intercept = () => {
      stop.abort(new Error('enough'));
      return true;
    };
    const cancelled = { ...options, signal: stop.signal };
    const pull = await failureOf(pullCheckpointImage(reference(), at('new'), cancelled));
    expect(pull).toMatchObject({ code: 'ERR_CRIU_ABORTED', cause: { message: 'enough' } });
  });

  test.each([
    ['web', 'HOST'],
    ['library/web:1', 'HOST'],
    ['host.example/Web', 'HOST'],
    ['host.example/web:1@sha256:00', 'HOST'],
    ['host.example/../web', 'HOST'],
    ['host.example/web:1', 'on this host'],
    ['localhost.example/web:1', 'on this host'],
  ])('is not found in the reference %s', async (given, why) => {
    const error = await failureOf(pullCheckpointImage(given, at('new'), options));
    expect(error.code).toBe('ERR_CRIU_INVALID_ARGUMENT');
    expect(error.message).toContain(why);
  });
});

test('the specification in an index of containerd is read as it was written', async () => {
  for (const size of [0, 1, 127, 128, 20_000, 3_000_000]) {
    const spec = Buffer.alloc(size, 'x');
    expect(specOf(anyOf(spec)).equals(spec)).toBe(true);
  }
  for (const bytes of ['', '0a', '12ff', '1aff', '12ffffffffff01']) {
    expect(() => specOf(Buffer.from(bytes, 'hex'))).toThrow('damaged');
  }
});
