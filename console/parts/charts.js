// Pictures of numbers, drawn as SVG. Each has a name for readers of the screen and a table of the same numbers behind it.

import { h, svg } from "../core/dom.js";
import { count, timeOfDay } from "../core/format.js";

const WIDE = 720;
const TALL = 100;

/**
 * Sums over time, as stacked bars. `series` is `[[key, title, kind]]`, `bins` is `[{from, [key]: number}]`, oldest first.
 */
export function timeline(name, series, bins, { day = false } = {}) {
  const sum = (bin) => series.reduce((all, [key]) => all + (bin[key] ?? 0), 0);
  const most = niceTop(Math.max(1, ...bins.map(sum)));
  const step = WIDE / bins.length;
  const place = (bin, at) => stack(bin, { series, x: at * step + step * 0.1, width: step * 0.8, most });
  const label = (bin) => (day ? new Date(bin.from).toLocaleDateString("en-GB", { day: "numeric", month: "short" }) : timeOfDay(bin.from).slice(0, 5));
  const total = bins.reduce((all, bin) => all + sum(bin), 0);
  const drawn = { class: "chart", viewBox: `0 0 ${WIDE} ${TALL}`, preserveAspectRatio: "none", role: "img", "aria-label": `${name}: ${count(total)} in all` };
  const [begin, middle] = [bins[0], bins[Math.floor(bins.length / 2)]].map(label);
  return h(
    "figure",
    null,
    svg("svg", drawn, bins.map(place)),
    h("div", { class: "chart-foot", "aria-hidden": "true" }, h("span", null, begin), h("span", null, middle), h("span", null, "now")),
    legend(series, bins),
    table(name, ["From", ...series.map(([, title]) => title)], bins.map((bin) => [label(bin), ...series.map(([key]) => bin[key] ?? 0)])),
  );
}

function stack(bin, { series, x, width, most }) {
  let y = TALL;
  return series.map(([key, , kind]) => {
    const number = bin[key] ?? 0;
    if (!number) return null;
    const tall = Math.max(1, (number / most) * TALL);
    y -= tall;
    return svg("rect", { class: `series-${kind}`, x: x.toFixed(1), y: y.toFixed(1), width: width.toFixed(1), height: tall.toFixed(1) });
  });
}

function legend(series, bins) {
  const total = (key) => bins.reduce((all, bin) => all + (bin[key] ?? 0), 0);
  const one = ([key, title, kind]) =>
    h("span", null, svg("svg", { viewBox: "0 0 12 12", "aria-hidden": "true" }, svg("rect", { class: `series-${kind}`, width: 12, height: 12, rx: 3 })), `${title} ${count(total(key))}`);
  return h("figcaption", { class: "legend" }, series.map(one));
}

/** Numbers side by side, the largest first: `[[title, number]]`. */
export function bars(name, rows, { said = count, kind = "accent", most = 8 } = {}) {
  const shown = [...rows].sort((a, b) => b[1] - a[1]).slice(0, most);
  const top = Math.max(1, ...shown.map(([, number]) => number));
  const one = ([title, number]) =>
    h(
      "li",
      null,
      h("span", { title }, title),
      svg(
        "svg",
        { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
        svg("rect", { class: "back", width: 100, height: 10 }),
        svg("rect", { class: `series-${kind}`, width: ((number / top) * 100).toFixed(1), height: 10 }),
      ),
      h("span", null, said(number)),
    );
  return h("ul", { class: "bars", "aria-label": name }, shown.map(one));
}

function table(name, heads, rows) {
  return h(
    "div",
    { class: "unseen" },
    h(
      "table",
      null,
      h("caption", null, name),
      h("thead", null, h("tr", null, heads.map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", null, rows.map((row) => h("tr", null, row.map((cell) => h("td", null, String(cell)))))),
    ),
  );
}

function niceTop(number) {
  const size = 10 ** Math.floor(Math.log10(number));
  const steps = [1, 1.5, 2, 3, 5, 7.5, 10].map((step) => step * size);
  return steps.find((step) => step >= number) ?? number;
}

/** Sorts lines with a time into so many equal spans up to now; `key` says what a line counts as. */
export function binned(lines, { from, to, bins, key }) {
  const span = (to - from) / bins;
  const all = Array.from({ length: bins }, (_, at) => ({ from: new Date(from + at * span).toISOString() }));
  for (const line of lines) {
    const at = Math.floor((Date.parse(line.time) - from) / span);
    const bin = all[Math.min(at, bins - 1)];
    if (!bin || at < 0) continue;
    const name = key(line);
    bin[name] = (bin[name] ?? 0) + 1;
  }
  return all;
}
