import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { TlsOptions } from '../../src/index.ts';
import { temporaryDirectory } from './workload.ts';

/** A certificate and its key, as paths of PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** The subject of a certificate that is valid for connections on this host. */
export const HERE = 'IP:127.0.0.1';

/** The subject of a certificate that is not valid for connections on this host. */
export const ELSEWHERE = 'IP:127.0.0.9';

/** The option `tls` with a certificate to present, and one authority for both sides. */
export function tls(authority: Authority, { cert, key }: Certificate): { tls: TlsOptions } {
  return { tls: { ca: authority.cert, cert, key } };
}

/** A certificate authority, removed after the test. */
export class Authority {
  readonly cert: string;
  readonly #directory: string;
  readonly #config: string;
  #issued = 0;

  private constructor(directory: string) {
    this.#directory = directory;
    this.#config = join(directory, 'openssl.cnf');
    this.cert = join(directory, 'ca.pem');
  }

  static async create(name: string): Promise<Authority> {
    const authority = new Authority(await temporaryDirectory());
    await authority.#begin(name);
    return authority;
  }

  async #begin(name: string): Promise<void> {
    await writeFile(this.#config, config(this.#directory));
    await writeFile(join(this.#directory, 'issued'), '');
    const subject = ['-subj', `/CN=${name}`, '-days', '2', '-extensions', 'authority'];
    await this.#openssl('req', '-x509', ...subject, ...newKey('ca'), '-out', 'ca.pem');
  }

  /** Issues a certificate for `where`, as `IP:127.0.0.1` or `DNS:example.org`, with a name of its own by default. */
  async issue(where: string, commonName?: string): Promise<Certificate> {
    const name = `cert${++this.#issued}`;
    const extensions = `subjectAltName=${where}\n`;
    await writeFile(join(this.#directory, `${name}.ext`), extensions);
    await this.#openssl(
      'req',
      '-new',
      '-subj',
      `/CN=${commonName ?? name}`,
      ...newKey(name),
      '-out',
      `${name}.csr`,
    );
    const files = ['-in', `${name}.csr`, '-out', `${name}.pem`, '-extfile', `${name}.ext`];
    await this.#openssl('ca', '-batch', '-notext', '-create_serial', '-days', '2', ...files);
    return {
      cert: join(this.#directory, `${name}.pem`),
      key: join(this.#directory, `${name}.key`),
    };
  }

  /** Revokes certificates; returns the path of the revocation list. */
  async revoke(...certificates: readonly Certificate[]): Promise<string> {
    for (const { cert } of certificates) await this.#openssl('ca', '-revoke', cert);
    await this.#openssl('ca', '-gencrl', '-crldays', '2', '-out', 'crl.pem');
    return join(this.#directory, 'crl.pem');
  }

  async #openssl(command: string, ...args: readonly string[]): Promise<void> {
    await execa('openssl', [command, '-config', this.#config, ...args], { cwd: this.#directory });
  }
}

const newKey = (name: string) => [
  ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
  ...['-keyout', `${name}.key`],
];

const config = (directory: string) => `
[req]
distinguished_name = nothing
[nothing]
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
[ca]
default_ca = this
[this]
dir = ${directory}
database = $dir/issued
unique_subject = no
serial = $dir/serial
new_certs_dir = $dir
certificate = $dir/ca.pem
private_key = $dir/ca.key
default_md = sha256
policy = anything
[anything]
commonName = supplied
`;
