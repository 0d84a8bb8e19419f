import { execa } from 'execa';

/**
 * What CRIU may have left in the network namespace of a file: rules of iptables, and tables of
 * nftables with its name.
 */
export async function rulesIn(namespace: string): Promise<string[]> {
  const script = 'iptables-save; ip6tables-save; nft list tables';
  const { stdout } = await execa('nsenter', [`--net=${namespace}`, 'sh', '-c', script]);
  return stdout.split('\n').filter((line) => /^-A|^:CRIU|^table .*CRIU/.test(line));
}
