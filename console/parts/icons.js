// The drawings of the console, as strokes in a square of 24. They are decoration: what they stand by says the same in words.

import { svg } from "../core/dom.js";

const PATHS = {
  overview: ["M4 13h6V4H4zM14 20h6v-9h-6zM14 8h6V4h-6zM4 20h6v-4H4z"],
  tenants: ["M4 20V6l7-3v17M11 20h9V9l-9-3M7.5 9.5v0M7.5 13v0M7.5 16.5v0M15.5 12.5v0M15.5 16v0"],
  key: ["M14.5 9.5a4.5 4.5 0 1 0-4.1 4.5L12 12.5h2v-2l.4-.9M13 13l6.5 6.5M17 17l2-2"],
  capabilities: ["M12 3l7 3v5c0 4.5-2.9 8.3-7 10-4.1-1.7-7-5.5-7-10V6zM9 12l2.2 2.2L15.5 10"],
  policies: ["M6 3h9l4 4v14H6zM14.5 3v5H19M9 12.5h7M9 16.5h5"],
  approvals: ["M20 12a8 8 0 1 1-3.5-6.6M20 5l-8.5 8.5-3-3"],
  evidence: ["M5 5h14M5 10h14M5 15h8M5 20h5M15 18l2 2 4-4"],
  secrets: ["M8 4a5 5 0 1 0 3.6 8.4L20 21M16 17l3-3M13 14l2-2"],
  catalogue: ["M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z"],
  webhooks: ["M4 12h10M10 8l4 4-4 4M17 5h3v14h-3"],
  settings: ["M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6M12 3v2.5M12 18.5V21M3 12h2.5M18.5 12H21M5.6 5.6l1.8 1.8M16.6 16.6l1.8 1.8M18.4 5.6l-1.8 1.8M7.4 16.6l-1.8 1.8"],
  search: ["M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14M16 16l4.5 4.5"],
  menu: ["M4 7h16M4 12h16M4 17h16"],
  close: ["M6 6l12 12M18 6L6 18"],
  check: ["M5 12.5l4.5 4.5L19 7.5"],
  alert: ["M12 4l9 16H3zM12 10v4.5M12 17.2v.1"],
  cross: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M9 9l6 6M15 9l-6 6"],
  wait: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 7.5V12l3 2"],
  none: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M8 12h8"],
  copy: ["M9 9h11v11H9zM5 15H4V4h11v1"],
  out: ["M14 4h6v6M20 4l-9 9M18 14v6H4V6h6"],
  right: ["M9 5l7 7-7 7"],
  light: ["M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M18.7 5.3l-1.4 1.4M6.7 17.3l-1.4 1.4"],
  dark: ["M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z"],
  system: ["M3 5h18v11H3zM9 20h6M12 16v4"],
  refresh: ["M19.5 12a7.5 7.5 0 1 1-2.2-5.3L20 9.5M20 4v5.5h-5.5"],
  plus: ["M12 5v14M5 12h14"],
  file: ["M6 3h8l4 4v14H6zM13.5 3v4.5H18"],
  leave: ["M14 4H5v16h9M10 12h11M17 8l4 4-4 4"],
  glass: ["M7 3h10l-1.5 8a3.5 3.5 0 0 1-7 0zM12 14.5V21M8.5 21h7"],
};

/** One of the drawings. */
export function icon(name, props = {}) {
  const shapes = (PATHS[name] ?? PATHS.none).map((d) => svg("path", { d }));
  return svg("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false", ...props }, shapes);
}

/** The mark of the house: a door with its keyhole. */
export function mark() {
  return svg(
    "svg",
    { class: "mark", viewBox: "0 0 32 32", "aria-hidden": "true", focusable: "false" },
    svg("path", { class: "mark-door", d: "M7 29V12a9 9 0 0 1 18 0v17z" }),
    svg("path", { class: "mark-hole", d: "M16 12a3.2 3.2 0 0 0-1.5 6L13.7 23h4.6l-.8-5a3.2 3.2 0 0 0-1.5-6z" }),
  );
}

const HUES = { OPENAI: 160, ANTHROPIC: 20, GEMINI: 225, DEEPSEEK: 255, GCP_SA: 140, AWS_IAM: 35, AZURE: 205, OCI: 5 };
const INITIALS = { OPENAI: "Oa", ANTHROPIC: "An", GEMINI: "Ge", DEEPSEEK: "Ds", GCP_SA: "GC", AWS_IAM: "AW", AZURE: "Az", OCI: "Or" };

/** A tile with the initials of a provider or name. */
export function tile(code, title = code) {
  const words = title.split(/[\s_-]+/).filter(Boolean);
  const usual = words.length > 1 ? words[0][0] + words[1][0] : title.slice(0, 2);
  const hue = HUES[code] ?? [...code].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 7);
  const text = svg("text", { x: 20, y: 26, "text-anchor": "middle" }, INITIALS[code] ?? usual);
  const square = svg("rect", { width: 40, height: 40, rx: 9 });
  return svg("svg", { class: "tile", viewBox: "0 0 40 40", "aria-hidden": "true", focusable: "false", style: { "--hue": hue } }, square, text);
}
