// The page of the program comes up, under its own policy, and finds the server: page.mjs CHROMIUM URL PROFILE
import assert from "node:assert/strict";
import process from "node:process";
import { openBrowser } from "../jstest/browser.mjs";
import { exitWithParent, report } from "../jstest/stdin.mjs";

exitWithParent();
const [executable, url, profile] = process.argv.slice(2);
const browser = await openBrowser(executable, profile);
const problems = [];
try {
  const tab = await browser.newPage();
  tab.setDefaultTimeout(45_000);
  tab.on("pageerror", (err) => problems.push(err.message));
  tab.on("console", (m) => m.type() === "error" && problems.push(m.text())); // what the policy forbids is one
  tab.on("requestfailed", (r) => problems.push(`${r.url()}: ${r.failure()?.errorText}`));
  tab.on("response", (r) => r.status() >= 400 && problems.push(`${r.url()}: ${r.status()}`));
  await tab.goto(url);
  await tab.locator("#root > *").first().waitFor();
  report({ step: "shown", path: await tab.getAttribute("meta[name=parlor-path]", "content") });
  assert.deepEqual(problems, []);
} finally {
  await browser.close();
}
