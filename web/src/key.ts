// The key of a server that asks for one: the tab remembers it, and forgets it when it is closed.

const NAME = "elman-key";

export function keepKey(key: string): void {
  sessionStorage.setItem(NAME, key);
}

export function keptKey(): string | null {
  return sessionStorage.getItem(NAME);
}
