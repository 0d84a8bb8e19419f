import { builtins } from '../builtins.ts';
import { connectIn } from './network-connection.ts';

/** True for a URL of plain HTTP. */
export function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && new URL(text).protocol === 'http:';
}

/**
 * Sends a GET request in the network of another process, and reads the whole answer.
 * @param netns a descriptor of the network namespace
 * @returns the status of the answer
 * @throws an error of the system if there is no answer
 */
export async function getUrl(url: string, netns: number, signal: AbortSignal): Promise<number> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  return await new Promise((resolve, reject) => {
    const request = builtins.http.get(url, {
      signal,
      // A connection that stays open would be one of the checkpoint.
      agent: false,
      createConnection: () => connectIn(netns, host, Number(port || 80)),
    });
    request.on('error', reject);
    request.on('response', (response) => {
      response.resume();
      response.on('error', reject);
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
  });
}
