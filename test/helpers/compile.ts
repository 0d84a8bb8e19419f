import { join } from 'node:path';
import { execa } from 'execa';

const script = join(import.meta.dirname, '../../scripts/fixture.sh');

/** Compiles `test/fixtures/<name>.c` if that is newer than its binary, whose path is returned. */
export async function compileFixture(name: string): Promise<string> {
  const { stdout } = await execa('bash', [script, name]);
  return stdout;
}
