import { useSyncExternalStore } from "react";
import { perBrowser, readItem, removeItem, writeItem } from "./storage";

export type Theme = "light" | "dark";

const KEY = "parlor.theme";
const systemDark = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

/** What somebody has chosen with the toggle, else what the system says. */
export function currentTheme(): Theme {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === "light" || chosen === "dark") return chosen;
  return systemDark.matches ? "dark" : "light";
}

/** Puts the choice on the page; one that is the system's is not kept, to go on following the system. */
export function chooseTheme(theme: Theme): void {
  const isSystems = theme === (systemDark.matches ? "dark" : "light");
  if (isSystems) {
    delete document.documentElement.dataset.theme;
    removeItem(perBrowser, KEY);
  } else {
    document.documentElement.dataset.theme = theme;
    writeItem(perBrowser, KEY, theme);
  }
  for (const listener of listeners) listener();
}

export function restoreTheme(): void {
  const kept = readItem(perBrowser, KEY);
  if (kept === "light" || kept === "dark") chooseTheme(kept);
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, currentTheme);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  systemDark.addEventListener("change", listener);
  return () => {
    listeners.delete(listener);
    systemDark.removeEventListener("change", listener);
  };
}
