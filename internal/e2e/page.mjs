// Two tabs of the chat page talk to each other: page.mjs CHROMIUM URL PROFILE [SCREENSHOT]
import assert from "node:assert/strict";
import process from "node:process";
import { openBrowser } from "../jstest/browser.mjs";
import { exitWithParent, report } from "../jstest/stdin.mjs";

exitWithParent();
const [executable, url, profile, screenshot] = process.argv.slice(2);
const browser = await openBrowser(executable, profile, { viewport: { width: 960, height: 600 } });
const problems = [];

/** Waits until an element's text matches. */
async function shows(tab, selector, text) {
  await tab.locator(selector).filter({ hasText: text }).waitFor();
}

async function join(name, room) {
  const tab = await browser.newPage();
  tab.setDefaultTimeout(15_000);
  tab.on("pageerror", (err) => problems.push(`${name}: ${err.message}`));
  tab.on("console", (m) => m.type() === "error" && problems.push(`${name}: ${m.text()}`));
  await tab.goto(url);
  await shows(tab, "#status[data-state=connected]", "Connected");
  await tab.fill("#name", name);
  await tab.fill("#room", room);
  await tab.click("#join");
  await shows(tab, "#current", `# ${room}`);
  await shows(tab, "#people", `${name} (you)`);
  await shows(tab, "#transport", "websocket");
  return tab;
}

/** The messages of a tab, as "name: text". */
const messages = (tab) =>
  tab.locator("#messages .message").evaluateAll((items) =>
    items.map((i) => `${i.querySelector("strong").textContent}: ${i.querySelector(".body").textContent}`));

async function say(tab, text) {
  await tab.fill("#text", text);
  await tab.press("#text", "Enter");
  await shows(tab, "#messages .message.own:last-child", "sent ✓");
}

try {
  const room = "tea room";
  const ada = await join("Ada", room);
  const grace = await join("Grace", room);
  for (const tab of [ada, grace]) {
    await shows(tab, "#count", /^2$/);
    await shows(tab, "#people", "Ada");
    await shows(tab, "#people", "Grace");
  }
  report({ step: "joined", users: await ada.textContent("#count") });

  await ada.locator("#text").pressSequentially("Hello");
  await shows(grace, "#typing", "Ada is typing…");
  report({ step: "typing", text: await grace.textContent("#typing") });

  const said = ["Ada: Hello Grace", "Grace: Hello Ada <b>& co</b>", "Ada: Shall we?"];
  await say(ada, "Hello Grace");
  await shows(grace, "#messages .message:last-child", "Hello Grace");
  await shows(grace, "#typing", /^$/);
  await say(grace, "Hello Ada <b>& co</b>");
  await shows(ada, "#messages .message:last-child", "Hello Ada");
  await say(ada, "Shall we?");
  await shows(grace, "#messages .message:last-child", "Shall we?");
  for (const tab of [ada, grace]) assert.deepEqual(await messages(tab), said);
  report({ step: "messages", ada: await messages(ada), grace: await messages(grace) });

  if (screenshot) {
    await grace.locator("#text").pressSequentially("Of c");
    await shows(ada, "#typing", "Grace is typing…");
    await ada.bringToFront();
    await ada.screenshot({ path: screenshot });
  }

  await grace.close();
  await shows(ada, "#count", /^1$/);
  await shows(ada, "#messages .event:last-child", "Grace left");
  report({ step: "left", users: await ada.textContent("#count") });
  assert.deepEqual(problems, []);
} finally {
  await browser.close();
}
