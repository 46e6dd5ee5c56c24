// What is live on every page: how many alerts are open.

import { live, refreshSoon } from "./live.js";

live({ "alerts.alert": refreshSoon });
