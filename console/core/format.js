// Numbers, times and names as people read them. Times are shown in the reader's zone, and exactly in the title.

import { h } from "./dom.js";

const STEPS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const absolute = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const numbers = new Intl.NumberFormat("en");

/** "3 minutes ago", "in 2 days". */
export function ago(text, now = Date.now()) {
  const seconds = Math.round((Date.parse(text) - now) / 1000);
  if (Number.isNaN(seconds)) return String(text);
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit);
  }
  return Math.abs(seconds) < 5 ? "just now" : relative.format(seconds, "second");
}

/** A moment as `time`, relative; the whole of it is in its title. Nothing is said as `none`. */
export function moment(text, none = "never") {
  if (!text) return h("span", { class: "muted" }, none);
  return h("time", { datetime: text, title: exact(text) }, ago(text));
}

/** A moment in full. */
export function exact(text) {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? String(text) : absolute.format(date);
}

/** The time of day, to the second. */
export function timeOfDay(text) {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? String(text) : clock.format(date);
}

export function count(number) {
  return typeof number === "number" ? numbers.format(number) : "–";
}

/** "1 record", "2 records". */
export function counted(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

export function bytes(number) {
  if (number < 1024) return `${number} bytes`;
  const kib = number / 1024;
  return kib < 1024 ? `${kib.toFixed(1)} KiB` : `${(kib / 1024).toFixed(1)} MiB`;
}

/** Microseconds as a person says them. */
export function duration(us) {
  if (typeof us !== "number") return "–";
  if (us < 1_000) return `${us} µs`;
  return us < 1_000_000 ? `${(us / 1_000).toFixed(1)} ms` : `${(us / 1_000_000).toFixed(2)} s`;
}

/** `sha256:0123…cdef`, where the whole would be in the way. */
export function shortened(text, keep = 10) {
  const value = String(text ?? "");
  return value.length <= keep * 2 + 1 ? value : `${value.slice(0, keep)}…${value.slice(-keep)}`;
}

/** Seconds as "8 h 3 min". */
export function lasting(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min` : `${whole} s`;
}
