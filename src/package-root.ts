/** Where the package is, for this file directly below src/ and for the bundle in dist/. */
export const packageRoot = new URL('..', import.meta.url);
