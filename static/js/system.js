// The System page: figures change all the time, so it is fetched anew often.

import { live, refreshSoon } from "./live.js";

const REFRESH_EVERY_MS = 10_000;

live({ "streaming.camera": refreshSoon });
setInterval(() => document.hidden || refreshSoon(), REFRESH_EVERY_MS);
