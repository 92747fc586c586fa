/** Where to go after signing in: a place in this page and nowhere else, whatever the address asks for. */
export function localTarget(wanted: string | undefined): string {
  if (wanted === undefined || !wanted.startsWith('/')) return '/';
  // the browser's own reading decides: "//host", "/\host" and the like lead away
  const url = new URL(wanted, location.origin);
  if (url.origin !== location.origin || url.pathname.startsWith('//') || url.pathname === '/sign-in') return '/';
  return url.pathname + url.search + url.hash;
}
