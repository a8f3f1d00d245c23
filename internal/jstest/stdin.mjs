// A script lives no longer than the test that started it: the test holds the other end of stdin, and
// however the test ends, that end is closed.
import process from "node:process";

/** Ends the process when its stdin is closed; stdin alone does not keep it alive. */
export function exitWithParent() {
  process.stdin.on("end", () => process.exit(1));
  process.stdin.on("error", () => process.exit(1));
  process.stdin.resume();
  process.stdin.unref?.();
}

/** Prints one result of a script, a line of JSON. */
export function report(value) {
  process.stdout.write(JSON.stringify(value) + "\n");
}
