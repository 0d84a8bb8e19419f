import { readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { spawnCheckpointable } from '../../../src/index.ts';
import { failureOf } from '../../helpers/failures.ts';
import { type NodeMajor, nodeMajors, nodeOptions, nodePath } from '../../helpers/node-versions.ts';
import { inProc, isConnectedAt } from '../../helpers/sockets.ts';
import {
  client,
  isAlive,
  killAfterTest,
  startProgram,
  temporaryDirectory,
  waitFor,
  waitGone,
} from '../../helpers/workload.ts';

const busyServer = join(import.meta.dirname, '../../fixtures/busy-server.mjs');

describe.each(nodeMajors)('Node %i', (major) => {
  test('a busy server continues all of its work', async () => {
    const criu = client();
    const server = await startBusyServer(major);
    const imagesDirectory = join(server.directory, 'images');
    await server.sees('before');
    const first = await server.askOnConnection();
    expect(first.state.version).toMatch(new RegExp(`^${major}\\.`));
    const before = await server.moved(first.state);
    killAfterTest(before.child);

    await criu.dump(server.pid, {
      imagesDirectory,
      tcpEstablished: true,
      networkLock: 'nftables',
    });
    expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' });
    await waitGone(before.child);
    const dumped = (await server.numbers()).length;
    expect(dumped).toBeGreaterThanOrEqual(before.timer);

    const restored = await criu.restore({
      imagesDirectory,
      tcpEstablished: true,
      networkLock: 'nftables',
    });
    expect(restored.pid).toBe(server.pid);
    expect(await isAlive(before.child)).toBe(true);

    // The established connection, on which the count of requests continues.
    const again = await server.askOnConnection();
    expect(again.clientPort).toBe(first.clientPort);
    expect(again.state.requests).toBe(before.requests + 1);
    expect(again.state.echoes).toEqual([again.state.requests, again.state.requests]);
    expect(again.state.child).toBe(before.child);

    // New connections show that everything else continues, and that nothing restarted.
    const after = await server.moved(again.state);
    expect(after.timer).toBeGreaterThan(before.timer);
    expect(after.childTicks).toBeGreaterThan(before.childTicks);
    after.workers.forEach((ticks, index) => {
      expect(ticks).toBeGreaterThan(before.workers[index] ?? Number.NaN);
    });
    await server.sees('after');

    // No line of the file was lost or written twice.
    await waitFor(async () => (await server.numbers()).length > dumped, 'the file grows');
    const numbers = await server.numbers();
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect(await server.errors()).toBe('');
  });

  test('the restored server can be dumped and restored again', async () => {
    const criu = client();
    const server = await startBusyServer(major);
    const { child } = await server.ask();
    killAfterTest(child);
    for (const round of [1, 2]) {
      const imagesDirectory = join(server.directory, `images-${round}`);
      await server.moved(await server.ask());
      await server.hasNoConnection();
      await criu.dump(server.pid, { imagesDirectory });
      await waitGone(server.pid);
      await waitGone(child);
      await criu.restore({ imagesDirectory });
    }
    const after = await server.moved(await server.ask());
    expect(after.requests).toBeGreaterThan(4);
    await server.sees('after');
    expect(await server.errors()).toBe('');
  });
});

test.each([22, 24, 26] as const)(
  'an ordinary start of Node %i leaves a process that CRIU cannot dump',
  async (major) => {
    const criu = client();
    const imagesDirectory = await temporaryDirectory();
    const file = join(await temporaryDirectory(), 'out');
    // The variable that disables io_uring in Node.
    const { pid } = await startProgram(nodePath(major), ['-e', counting], {
      stdout: file,
      env: { UV_USE_IO_URING: '0' },
    });
    const lines = async () => (await readFile(file, 'utf8')).split('\n').length;
    await waitFor(async () => (await lines()) > 5, 'the program counts');
    expect(await descriptorsOf(pid)).toContain('anon_inode:[io_uring]');
    const error = await failureOf(criu.dump(pid, { imagesDirectory }));
    expect(error).toMatchObject({ code: 'ERR_CRIU_FAILED', workload: 'running' });

    // CRIU 4.2.1 does not name io_uring: it fails at the shared memory of the ring first.
    const [, address = 'none'] = /mapfile link ([0-9a-f]+)/.exec(error.message) ?? [];
    const maps = (await readFile(`/proc/${pid}/maps`, 'utf8')).split('\n');
    expect(maps.find((line) => line.startsWith(address))).toContain('anon_inode:[io_uring]');
    const before = await lines();
    await waitFor(async () => (await lines()) > before, 'the program counts on');

    // The same program, started so that it can be dumped.
    const out = `${file}-2`;
    const program = await spawnCheckpointable(nodePath(major), ['-e', counting], { stdout: out });
    killAfterTest(program.pid);
    await waitFor(async () => (await readFile(out, 'utf8')).length > 10, 'the program counts');
    expect(await descriptorsOf(program.pid)).not.toContain('anon_inode:[io_uring]');
    await criu.dump(program.pid, { imagesDirectory });
  },
);

async function descriptorsOf(pid: number): Promise<string[]> {
  const numbers = await readdir(`/proc/${pid}/fd`);
  return await Promise.all(numbers.map((number) => readlink(`/proc/${pid}/fd/${number}`)));
}

const counting = 'let n = 0; setInterval(() => console.log(++n), 10)';

interface State {
  version: string;
  requests: number;
  timer: number;
  workers: number[];
  echoes: number[];
  child: number;
  childTicks: number;
  childBytes: number;
  seen: string[];
  wasm: number;
}

/** Starts a server and connects to it. It is killed after the test, whether original or restored. */
async function startBusyServer(major: NodeMajor) {
  const directory = await temporaryDirectory();
  const path = (name: string) => join(directory, name);
  const watched = await temporaryDirectory();
  const program = await spawnCheckpointable(
    nodePath(major),
    [...nodeOptions(major), busyServer, path('numbers'), watched],
    { cwd: directory, stdout: path('out'), stderr: path('err') },
  );
  killAfterTest(program.pid);
  const text = (name: string) => readFile(path(name), 'utf8').catch(() => '');
  await waitFor(async () => (await text('out')).endsWith('\n') || !program.kill(0), 'it starts');
  const port = Number(await text('out'));
  if (!(port > 0)) throw new Error(`the server did not start: ${await text('err')}`);

  const connection = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => connection.destroy());
  const ask = async () => (await request(port)).state;
  return {
    pid: program.pid,
    exited: program.exited,
    directory,
    ask,
    /** Sends a request on the established connection. */
    askOnConnection: () => request(port, connection),
    /** Resolves with the state when everything has progressed since an earlier one. */
    async moved(from: State): Promise<State> {
      let now = from;
      await waitFor(async () => {
        now = await ask();
        return (
          now.timer > from.timer &&
          now.childTicks > from.childTicks &&
          now.childBytes > from.childBytes &&
          now.workers.length === 2 &&
          now.workers.every((ticks, index) => ticks > (from.workers[index] ?? Number.NaN))
        );
      }, 'timer, workers and child move on');
      expect(now.wasm).toBe(42);
      return now;
    },
    /** Resolves when the server has closed the connections of requests that it has answered. */
    async hasNoConnection(): Promise<void> {
      const place = inProc('127.0.0.1', port);
      await waitFor(async () => !(await isConnectedAt(place)), 'the connections are closed');
    },
    /** Creates a file in the directory that the server watches, and waits until the server notices. */
    async sees(name: string): Promise<void> {
      await writeFile(join(watched, name), '');
      await waitFor(async () => (await ask()).seen.includes(name), `the watch sees ${name}`);
      await rm(join(watched, name));
    },
    numbers: async () => (await text('numbers')).split('\n').slice(0, -1).map(Number),
    errors: () => text('err'),
  };
}

/** Sends a request on a new connection, or on that of the agent. */
function request(port: number, agent?: Agent): Promise<{ state: State; clientPort: number }> {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', agent: agent ?? false, timeout: 20_000 } as const;
    const sent = get(options, async (response) => {
      const clientPort = response.socket.localPort ?? 0;
      let body = '';
      for await (const chunk of response) body += chunk;
      resolve({ state: JSON.parse(body) as State, clientPort });
    });
    sent.on('timeout', () => sent.destroy(new Error('the server did not answer')));
    sent.on('error', reject);
  });
}
