export interface Part {
  text: string;
  href?: string;
}

const url = /https?:\/\/[^\s<>"]+/gi;

/** Cuts text into plain parts and links. Only http and https are links, whatever the text says. */
export function linkify(text: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(url)) {
    const link = withoutTail(match[0]);
    if (!isWeb(link)) continue;
    if (match.index > end) parts.push({ text: text.slice(end, match.index) });
    parts.push({ text: link, href: link });
    end = match.index + link.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}

/** What ends a sentence is not part of its link; nor is a bracket that was opened before it. */
function withoutTail(link: string): string {
  for (;;) {
    const last = link.at(-1) ?? "";
    const unopened = (last === ")" && !link.includes("(")) || (last === "]" && !link.includes("["));
    if (!unopened && !".,;:!?'*_".includes(last)) return link;
    link = link.slice(0, -1);
  }
}

function isWeb(link: string): boolean {
  try {
    const { protocol } = new URL(link);
    return protocol === "https:" || protocol === "http:";
  } catch {
    return false;
  }
}
