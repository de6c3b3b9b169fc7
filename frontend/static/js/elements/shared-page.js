/** Every element of the live page of shared weights; live-page last, because it hands the state to the others at once. */

import "./cell-picture.js";
import "./state-strip.js";
import "./stream-actions.js";
import "./shared-chart.js";
import "./shared-architecture.js";
import "./phase-panel.js";
import "./derived-networks.js";
import "./honesty-meter.js";
import "./shared-comparison.js";
import "./epochs-table.js";
import "./children-table.js";
import "./asked-scores.js";
import "./policy-map.js";
import "./steer-panel.js";
import "./workers-panel.js";
import "./event-log.js";
import "./picture-download.js";
import "./download-menu.js";
import "./print-of-search.js";
import "./live-page.js";
