// Web storage that never throws: it may be forbidden, full, or hold what an older version wrote.

export function readItem(storage: () => Storage, key: string): unknown {
  try {
    return JSON.parse(storage().getItem(key) ?? "null");
  } catch {
    return null;
  }
}

/** Says whether it has been written. */
export function writeItem(storage: () => Storage, key: string, value: unknown): boolean {
  try {
    storage().setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

export function removeItem(storage: () => Storage, key: string): void {
  try {
    storage().removeItem(key);
  } catch {
    // Nothing was there, then.
  }
}

// As functions, because with storage switched off the mere access throws.
export const perTab = () => sessionStorage;
export const perBrowser = () => localStorage;
