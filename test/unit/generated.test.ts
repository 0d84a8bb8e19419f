import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { definitions } from '../helpers/wire.ts';

test('src/generated is up to date, and --check names changed, missing and superfluous files', () => {
  const directory = mkdtempSync(join(tmpdir(), 'node-criu-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));

  cpSync('src/generated', directory, { recursive: true });
  appendFileSync(join(directory, 'messages.ts'), '\n');
  rmSync(join(directory, 'types/criu_req.ts'));
  writeFileSync(join(directory, 'types/old.ts'), '');
  const args = ['scripts/generate.mjs', '--check', directory];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(status).toBe(1);
  // Of a copy of src/generated it names no others, so that one is up to date.
  expect(stderr).toContain(': messages.ts, types/criu_req.ts, types/old.ts.');
}, 30_000);

test('rpc.proto has the requests and options of CRIU 4.3', () => {
  const types = definitions.lookupEnum('criu_req_type').values;
  expect(Object.values(types)).toEqual(Array.from({ length: 14 }, (_, number) => number));

  const numbers = definitions.lookupType('criu_opts').fieldsArray.map(({ id }) => id);
  const expected = Array.from({ length: 78 }, (_, index) => index + 1).filter((id) => id !== 40);
  expect(numbers.sort((a, b) => a - b)).toEqual(expected);
  expect(expected).toHaveLength(77);
});
