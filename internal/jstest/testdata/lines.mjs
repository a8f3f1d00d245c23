import process from "node:process";
import { exitWithParent, report } from "../stdin.mjs";

exitWithParent();
report({ args: process.argv.slice(2) });
report([1, 2]);
