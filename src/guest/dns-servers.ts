import { getServers, Resolver, setServers } from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';

/** The resolver behind dns.resolve(), which keeps random ids, and the servers that it has read from resolv.conf. */
export class DnsServers {
  /** The servers of the machine at the checkpoint; undefined if the program does not use DNS. */
  #before: readonly string[] | undefined;

  prepare(): void {
    this.#before = isUsed() ? configured() : undefined;
  }

  /** Replaces the resolver, by one with the servers of this machine unless the program has set others. */
  renew(): void {
    if (this.#before === undefined) return;
    const now = getServers();
    const servers = now.join() === this.#before.join() ? configured() : now;
    if (servers.length === 0) return;
    setServers(servers);
    syncBuiltinESMExports();
  }
}

/** The servers in /etc/resolv.conf. */
const configured = () => new Resolver().getServers();

function isUsed(): boolean {
  const { moduleLoadList } = process as { moduleLoadList?: readonly string[] };
  return moduleLoadList?.includes('NativeModule dns') ?? true;
}
