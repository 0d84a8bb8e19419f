import { execa } from 'execa';
import { type Browser, chromium } from 'playwright-core';

/** Starts the Chromium of the set-up. Close it. */
export async function startBrowser(): Promise<Browser> {
  const { stdout } = await execa('bash', ['scripts/chromium.sh']);
  // Its own sandbox does not work for root, which the tests are.
  return await chromium.launch({
    executablePath: stdout.trim(),
    args: ['--no-sandbox', '--disable-gpu'],
  });
}
