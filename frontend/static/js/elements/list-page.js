/** Every element of the list of searches and trainings. */

import "./stream-deletion.js";
import "./list-filter.js";
import "./stream-labels.js";
import "./ticked-rows.js";
import "./fresh-list.js";
