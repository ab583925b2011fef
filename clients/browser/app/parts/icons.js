// Icons, drawn in a square of 24 with a stroke of the text's colour (theme.css: .icon).

import { svg } from "../../vendor/lit.js";

const DRAWN = {
  menu: svg`<path d="M4 5h16M4 12h16M4 19h10"/>`,
  tables: svg`<rect x="3" y="4" width="8" height="7" rx="1.5"/><circle cx="17" cy="7.5" r="3.5"/><rect x="3" y="15" width="18" height="5" rx="1.5"/>`,
  ticket: svg`<path d="M6 3h12v18l-3-2-3 2-3-2-3 2zM9.500 8h5M9.500 12h5"/>`,
  storage: svg`<ellipse cx="12" cy="6" rx="8" ry="3"/><path d="M4 6v12c0 1.700 3.600 3 8 3s8-1.300 8-3V6M4 12c0 1.700 3.600 3 8 3s8-1.300 8-3"/>`,
  more: svg`<circle cx="5" cy="12" r="1.200"/><circle cx="12" cy="12" r="1.200"/><circle cx="19" cy="12" r="1.200"/>`,
  search: svg`<circle cx="10.500" cy="10.500" r="6.500"/><path d="m20 20-4.800-4.800"/>`,
  close: svg`<path d="m5 5 14 14M19 5 5 19"/>`,
  back: svg`<path d="M15 4 7 12l8 8"/>`,
  next: svg`<path d="m9 4 8 8-8 8"/>`,
  down: svg`<path d="m5 9 7 7 7-7"/>`,
  plus: svg`<path d="M12 5v14M5 12h14"/>`,
  minus: svg`<path d="M5 12h14"/>`,
  info: svg`<circle cx="12" cy="12" r="9"/><path d="M12 11v5.500M12 7.500v.1"/>`,
  star: svg`<path d="m12 3.500 2.600 5.400 5.900.8-4.300 4.100 1 5.900-5.200-2.800-5.200 2.800 1-5.900-4.300-4.100 5.900-.8z"/>`,
  recent: svg`<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3.500 2"/>`,
  filter: svg`<path d="M4 6h16M7 12h10M10 18h4"/>`,
  camera: svg`<path d="M4 8h3l1.500-2.500h7L17 8h3v11H4z"/><circle cx="12" cy="13" r="3.500"/>`,
  trash: svg`<path d="M4 7h16M9 7V4h6v3M6.500 7l1 13h9l1-13"/>`,
  edit: svg`<path d="M4 20h4L20 8l-4-4L4 16z"/>`,
  move: svg`<path d="M4 12h15M13 6l6 6-6 6"/>`,
  copy: svg`<rect x="9" y="9" width="11" height="11" rx="2"/><path d="M15 9V4H4v11h5"/>`,
  share: svg`<path d="M12 15V3M8 7l4-4 4 4M5 12v8h14v-8"/>`,
  print: svg`<path d="M7 8V3h10v5M7 17H4V8h16v9h-3M7 13.500h10V21H7z"/>`,
  grid: svg`<rect x="4" y="4" width="7" height="7" rx="1"/><rect x="13" y="4" width="7" height="7" rx="1"/><rect x="4" y="13" width="7" height="7" rx="1"/><rect x="13" y="13" width="7" height="7" rx="1"/>`,
  list: svg`<path d="M9 6h11M9 12h11M9 18h11M4.500 6v.1M4.500 12v.1M4.500 18v.1"/>`,
  warning: svg`<path d="M12 4 2.500 20h19zM12 10v5M12 17.500v.1"/>`,
  check: svg`<path d="m4 12.500 5 5L20 6.500"/>`,
  offline: svg`<path d="M3 3l18 18M5 10a10 10 0 0 1 4-2.300M8 14a6 6 0 0 1 3-1.500M19.500 10A10 10 0 0 0 12 7M12 18.500v.1"/>`,
  refresh: svg`<path d="M20 12a8 8 0 1 1-2.300-5.700L20 8.500M20 3.500v5h-5"/>`,
  download: svg`<path d="M12 4v11M7 11l5 5 5-5M5 20h14"/>`,
  pause: svg`<path d="M8 5v14M16 5v14"/>`,
  note: svg`<path d="M5 4h14v12l-4 4H5zM8.500 9h7M8.500 13h4"/>`,
};

/** @typedef {keyof typeof DRAWN} IconName */

/** Says nothing to a screen reader: words stand beside it, or in the label. @param {IconName} name */
export const icon = (name) =>
  svg`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${DRAWN[name]}</svg>`;
