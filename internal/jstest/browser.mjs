// A headless Chromium for the tests that look at pages. It talks to nobody but the page's server.
import { chromium } from "playwright-core";

const QUIET = [
  "--no-sandbox", // tests may run as root
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts the browser with a profile folder of its own; close the context to end it. */
export function openBrowser(executablePath, profile, options = {}) {
  return chromium.launchPersistentContext(profile, { executablePath, headless: true, args: QUIET, ...options });
}
