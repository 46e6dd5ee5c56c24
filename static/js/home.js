import { live, refreshSoon } from "./live.js";

live({ "streaming.camera": refreshSoon, "occupancy.occupancylog": refreshSoon });
