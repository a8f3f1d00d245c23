const encoder = new TextEncoder();

/** The length of a text as the server counts it: in bytes of UTF-8. */
export function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/** "512 KB", "1.4 MB": with 1024 to the KB, as limits are meant. Rounded up, so that what is over a limit looks so. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  const kb = bytes / 1024;
  if (kb < 1024) return `${kb < 10 ? tenths(kb) : Math.ceil(kb)} KB`;
  return `${tenths(kb / 1024)} MB`;
}

function tenths(n: number): number {
  return Math.ceil(n * 10) / 10;
}
