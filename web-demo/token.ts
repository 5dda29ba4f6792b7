/**
 * The token of a server that shows its models to those with one. It lives in this tab until the tab is closed or the
 * visitor forgets it, goes to the page's own server only, and is never in the address, which people share.
 */

const key = "cominfo token";
let token = storage()?.getItem(key) ?? undefined;

export function knownToken(): string | undefined {
  return token;
}

export function keepToken(given: string): void {
  token = given;
  storage()?.setItem(key, given);
}

export function forgetToken(): void {
  token = undefined;
  storage()?.removeItem(key);
}

/** Browsers that may store nothing throw on the name already: there the token lives until the page is left. */
function storage(): Storage | undefined {
  try {
    return sessionStorage;
  } catch {
    return undefined;
  }
}

/** `fetch` with the token, where there is one. @param url relative to the page: no other server gets the token */
export function fetchFromServer(url: string, init: RequestInit = {}): Promise<Response> {
  if (token === undefined || new URL(url, document.baseURI).origin !== location.origin) return fetch(url, init);
  const headers = new Headers(init.headers);
  headers.set("authorization", `Bearer ${token}`);
  return fetch(url, { ...init, headers });
}
