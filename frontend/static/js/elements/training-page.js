/** Every element of a training's live page; live-page last, because it hands the state to the others at once. */

import "./cell-picture.js";
import "./state-strip.js";
import "./stream-actions.js";
import "./training-chart.js";
import "./training-end.js";
import "./workers-panel.js";
import "./picture-download.js";
import "./event-log.js";
import "./live-page.js";
