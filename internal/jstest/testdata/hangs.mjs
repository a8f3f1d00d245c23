import { exitWithParent } from "../stdin.mjs";

exitWithParent();
setInterval(() => {}, 1000);
