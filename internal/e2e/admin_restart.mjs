// The server is stopped under an administrator, who sees that it is, and started again: the page is back by itself.
import { Admin, adminTest, control, given, until } from "./admin_page.mjs";

const HEALTHY = /\bHealthy/; // a text would be found in "Unhealthy" as well

await adminTest(async (browser) => {
  const admin = await Admin.open(browser, { clock: true });
  await admin.login(given.user, given.password);
  await admin.go("Servers");
  await admin.rows(1, HEALTHY);

  await control("stop");
  await admin.status("disconnected");
  await admin.page.clock.fastForward(11_000); // the page calls a server unhealthy after ten seconds without a word
  await admin.rows(1, "Unhealthy");

  await control("start");
  await admin.page.clock.fastForward(6_000); // it tries again every five seconds
  await admin.connected();
  await until(() => admin.refusals(), 1, "refusals"); // the first one, when it was opened
  await admin.rows(1, HEALTHY);
  await admin.press(admin.row("Unhealthy"), "delete-outline"); // the process that there was
  await admin.rows(1);
});
