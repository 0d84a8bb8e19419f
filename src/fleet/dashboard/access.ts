import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** Decides who may read: by the token itself, or by a cookie that whoever showed the token has. */
export class Access {
  readonly #token: string;
  readonly #names: ReadonlySet<string>;
  readonly #cookieName: string;
  readonly #cookieValue: string;
  readonly #isSecure: boolean;

  constructor(token: string, names: readonly string[], isSecure: boolean) {
    this.#token = token;
    this.#names = new Set(names.map((name) => name.toLowerCase()));
    // Cookies go to all ports of a host: so the token is not in them, and two dashboards have different ones.
    const derived = (purpose: string) =>
      createHmac('sha256', token).update(`node-criu dashboard ${purpose}`).digest('base64url');
    this.#cookieName = `node-criu-${derived('name').slice(0, 12)}`;
    this.#cookieValue = derived('session');
    this.#isSecure = isSecure;
  }

  /**
   * True if the request is for an IP address, for localhost or for one of the names. A page whose name somebody has
   * resolved to this host sends that name.
   */
  isForThisHost({ headers: { host = '' } }: IncomingMessage): boolean {
    const [, bracketed, plain = ''] = /^(?:\[([^\]]+)\]|([^:]+))(?::\d+)?$/.exec(host) ?? [];
    const name = (bracketed ?? plain).toLowerCase();
    return (
      isIP(name) !== 0 ||
      name === 'localhost' ||
      name.endsWith('.localhost') ||
      this.#names.has(name)
    );
  }

  /** True if the request has the token or the cookie. */
  isAllowed(request: IncomingMessage): boolean {
    return this.hasToken(request) || this.#hasCookie(request);
  }

  /** True if the request has the token. */
  hasToken({ headers: { authorization = '' } }: IncomingMessage): boolean {
    const [, given] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
    return given !== undefined && isSame(given, this.#token);
  }

  /** What sets the cookie: the value of a `Set-Cookie` header. */
  get cookie(): string {
    const attributes = `Path=/; HttpOnly; SameSite=Strict${this.#isSecure ? '; Secure' : ''}`;
    return `${this.#cookieName}=${this.#cookieValue}; ${attributes}`;
  }

  #hasCookie({ headers: { cookie = '' } }: IncomingMessage): boolean {
    return cookie.split(';').some((one) => {
      const [name, value = ''] = one.trim().split('=', 2);
      return name === this.#cookieName && isSame(value, this.#cookieValue);
    });
  }
}

/** Compares in a time that does not depend on where the texts differ. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
