/**
 * A random id, for clientMsgId. crypto.randomUUID exists in secure contexts only, and this page is
 * also served on plain http.
 */
export function newId(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
