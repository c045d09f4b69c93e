/** Entry of pages that have no script of their own. */

import './live.js';
