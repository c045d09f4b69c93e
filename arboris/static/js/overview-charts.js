/** The charts of the overview: lines of what waits and runs, bars of what has ended. */

import { $ } from './dom.js';
import { init } from './vendor/echarts.js';

const LEVELS = ['pending', 'due', 'processing'];
const ENDS = ['completed', 'failed', 'cancelled'];
// Told apart by people who see no colours, too: by kind of line, and by place.
const DASHES = { pending: 'solid', due: 'dashed', processing: 'dotted' };
const COLOURS = {
  pending: ['#3b6fb6', '#7fb2f0'],
  due: ['#a15c00', '#f0b35c'],
  processing: ['#6b4fa0', '#c0a6f2'],
  completed: ['#2e7d4f', '#74c793'],
  failed: ['#b3261e', '#ff8a80'],
  cancelled: ['#6b6b6b', '#b0b0b0'],
};

const charts = new Map();
let drawn = [];

const titles = () => JSON.parse($('#overview-series').textContent);

/** Draw points as the server tells of them (analysis/overview/texts.py, `history`). */
export function drawCharts(points) {
  drawn = points;
  redraw();
}

/** Draw the same points anew, in the colours that the page has by now. */
export function redraw() {
  draw('overview-levels', LEVELS, (name) => ({
    type: 'line', showSymbol: drawn.length < 3, lineStyle: { type: DASHES[name], width: 2 },
  }));
  draw('overview-ends', ENDS, () => ({ type: 'bar', stack: 'ended', barMaxWidth: 24 }));
}

function draw(id, names, look) {
  const place = $(`#${id}`);
  if (!place) return;
  if (!charts.has(id)) {
    charts.set(id, init(place, null, { renderer: 'svg' }));
    new ResizeObserver(() => charts.get(id).resize()).observe(place);
  }
  const style = getComputedStyle(document.body);
  const text = style.getPropertyValue('--body-fg').trim() || '#333';
  const line = style.getPropertyValue('--border-color').trim() || '#ccc';
  const background = style.getPropertyValue('--body-bg').trim() || '#fff';
  const dark = isDark(background) ? 1 : 0;
  const label = titles();
  charts.get(id).setOption({
    animation: false,
    aria: { enabled: true, label: { description: description(place.dataset.title, names, label) } },
    textStyle: { color: text },
    grid: { left: 8, right: 16, top: 40, bottom: 8, containLabel: true },
    legend: { top: 4, textStyle: { color: text } },
    // As text in the picture: a box of HTML would bring inline styles, which the page's policy forbids.
    tooltip: { trigger: 'axis', renderMode: 'richText', backgroundColor: background, textStyle: { color: text } },
    xAxis: { type: 'time', axisLabel: { color: text, hideOverlap: true }, axisLine: { lineStyle: { color: line } } },
    yAxis: {
      type: 'value', minInterval: 1, min: 0, axisLabel: { color: text }, splitLine: { lineStyle: { color: line } },
    },
    series: names.map((name) => ({
      name: label[name],
      data: drawn.map((point) => [point.at, point[name]]),
      itemStyle: { color: COLOURS[name][dark] },
      ...look(name),
    })),
  });
}

/** The chart in a sentence: its title, and where each line stands now. All of it is in the table below. */
function description(title, names, label) {
  const last = drawn.at(-1);
  return last ? `${title}: ${names.map((name) => `${label[name]} ${last[name] ?? '–'}`).join(', ')}` : title;
}

/** Whether a colour as the style sheet writes it is a dark one. */
function isDark(colour) {
  const pen = document.createElement('canvas').getContext('2d');
  pen.fillStyle = colour;
  pen.fillRect(0, 0, 1, 1);
  const [red, green, blue] = pen.getImageData(0, 0, 1, 1).data;
  return red + green + blue < 384;
}
