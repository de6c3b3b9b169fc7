/** Every element of a search's live page; live-page last, because it hands the state to the others at once. */

import "./cell-picture.js";
import "./state-strip.js";
import "./stream-actions.js";
import "./reward-chart.js";
import "./best-cell.js";
import "./running-children.js";
import "./children-table.js";
import "./policy-map.js";
import "./steer-panel.js";
import "./cost-chart.js";
import "./workers-panel.js";
import "./event-log.js";
import "./picture-download.js";
import "./download-menu.js";
import "./print-of-search.js";
import "./random-comparison.js";
import "./final-round.js";
import "./live-page.js";
