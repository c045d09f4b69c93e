/** Entry of pages that have no script of their own. */

import './bell.js';
import { mountPalette } from './palette.js';

mountPalette();
