// On a phone: one column, rooms and people in drawers, nothing wider than the screen.
import { assert, Person, test, until } from "./app_page.mjs";

await test(async (browser) => {
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
  const ada = await Person.open(browser, "Ada", phone);
  await ada.page.getByRole("textbox", { name: "Your name" }).waitFor();
  await ada.fits();
  await ada.login("Ada", "tea room");
  const grace = await Person.join(browser, "Grace", "tea room");
  await ada.fits();

  const long = "donaudampfschifffahrtsgesellschaft".repeat(20);
  await grace.say(long);
  await ada.hears(long);
  await grace.say(`https://example.com/${long}`);
  await ada.hears(`https://example.com/${long}`);
  await ada.fits();
  await ada.say("On my way");
  await grace.hears("On my way");

  // The drawers: opened, used, and closed with Escape and by their use.
  assert.ok(!(await ada.people.isVisible()), "people are in a drawer");
  await ada.drawer("people");
  await ada.person("Grace").waitFor();
  await ada.fits();
  await ada.page.keyboard.press("Escape");
  await ada.people.waitFor({ state: "hidden" });
  await ada.drawer("rooms");
  await ada.fits();
  await ada.joinRoom("garden");
  await ada.rooms.waitFor({ state: "hidden" });
  await ada.fits();
  await until(() => ada.composer.isVisible(), true, "the composer");
});
