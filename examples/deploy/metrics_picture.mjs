// Takes a picture of Prometheus: what two instances deliver, and how long their handlers take.
import { openBrowser } from "../../internal/jstest/browser.mjs";
import { exitWithParent } from "../../internal/jstest/stdin.mjs";

exitWithParent();
const [chromium, prometheus, profile, picture] = process.argv.slice(2);
const questions = [
  'sum by (instance) (rate(parlor_packets_total{direction="out"}[10s]))',
  "histogram_quantile(0.99, sum by (event, le) (rate(parlor_handler_duration_seconds_bucket{event=~'message|join'}[10s])))",
];
const query = new URLSearchParams(questions.flatMap((expr, i) => [[`g${i}.expr`, expr], [`g${i}.tab`, "0"], [`g${i}.range_input`, "90s"]]));
process.env.TMPDIR = profile;
const context = await openBrowser(chromium, profile, { viewport: { width: 960, height: 800 } });
const page = await context.newPage();
await page.goto(`${prometheus}/graph?${query}`);
// Of the page, what is asked and answered; a question may have two lines.
await page.addStyleTag({
  content: `nav, .query-history, .form-inline, a[name=remove], #add_graph { display: none !important }
    body { padding: 1em 0 !important } textarea { field-sizing: content; height: auto !important }`,
});
for (let i = 0; i < questions.length; i++) await page.locator(".graph_container").nth(i).locator("svg path").first().waitFor();
await page.screenshot({ path: picture, fullPage: true });
await context.close();
