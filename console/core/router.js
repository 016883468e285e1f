// Leads from an address to a page: shows its frame at once, loads, then shows it whole or says what went wrong.
//
// A page is `{title, search?, skeleton?, load(context), view(data, context)}`. What belongs to a page ends with it: its
// requests through `context.signal`, its timers and listeners through `context.ends(f)`.

import { fill, h } from "./dom.js";
import { failed, skeletons } from "../parts/states.js";
import { announce } from "../parts/live.js";

let routes = [];
let place = null;
let running = null;
let arrived = () => {};

/** Sets the routes: `[pattern, page]`, a pattern such as `/tenants/:tenant`. */
export function configure(list, main, whenArrived) {
  routes = list.map(([pattern, page]) => [compile(pattern), page]);
  // Once: whoever signs in again is in the same page.
  if (!place) {
    window.addEventListener("popstate", () => place.isConnected && show(false));
    document.addEventListener("click", follow);
  }
  place = main;
  arrived = whenArrived;
}

function compile(pattern) {
  const names = [];
  const source = pattern.replace(/:(\w+)/g, (_, name) => {
    names.push(name);
    return "([^/]+)";
  });
  return { expression: new RegExp(`^${source}/?$`), names };
}

/** The address inside of the console. */
export function here() {
  return location.pathname.replace(/^\/console/, "") || "/";
}

/** Goes to an address inside of the console. */
export function go(address, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", `/console${address}`);
  return show(true);
}

/** Writes the words of a search into the address, without another entry in the history. */
export function note(words) {
  const query = new URLSearchParams(Object.entries(words).filter(([, value]) => value)).toString();
  history.replaceState(null, "", `${location.pathname}${query ? `?${query}` : ""}`);
}

/** Loads the page again. */
export function again() {
  return show(false);
}

/** Ends what the page in view still does. */
export function leave() {
  running?.stop();
  running = null;
}

function follow(event) {
  const anchor = event.target.closest?.("a[data-route]");
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!anchor || !plain || event.defaultPrevented) return;
  event.preventDefault();
  go(anchor.getAttribute("href").replace(/^\/console/, "") || "/");
}

function found(address) {
  for (const [{ expression, names }, page] of routes) {
    const match = expression.exec(address);
    if (match) return [page, Object.fromEntries(names.map((name, at) => [name, decodeURIComponent(match[at + 1])]))];
  }
  return null;
}

function context(params) {
  const control = new AbortController();
  const endings = [];
  return {
    params,
    query: Object.fromEntries(new URLSearchParams(location.search)),
    signal: control.signal,
    ends: (ending) => endings.push(ending),
    stop() {
      control.abort();
      endings.forEach((ending) => ending());
    },
  };
}

async function show(moved) {
  leave();
  const [page, params] = found(here()) ?? [NOWHERE, {}];
  const ctx = context(params);
  running = ctx;
  const title = typeof page.title === "function" ? page.title(params) : page.title;
  document.title = `${title} · Doorward`;
  arrived(here());
  // What is quick is shown at once; a frame of what comes only where it takes a moment.
  const frame = () => running === ctx && fill(place, page.skeleton?.() ?? skeletons(title));
  const soon = setTimeout(frame, moved ? 60 : 180);
  try {
    const data = page.load ? await page.load(ctx) : null;
    if (running !== ctx) return;
    fill(place, page.view(data, ctx));
  } catch (problem) {
    if (running !== ctx || problem.name === "AbortError") return;
    if (problem.status === 401) return;
    fill(place, h("h1", { tabindex: "-1" }, title), failed(problem, again));
  } finally {
    clearTimeout(soon);
  }
  if (moved) settle(title);
}

/** After a page was gone to: to its top, and a reader of the screen to its heading. */
function settle(title) {
  window.scrollTo(0, 0);
  const wanted = place.querySelector("[data-first]") ?? place.querySelector("h1");
  wanted?.focus({ preventScroll: true });
  announce(title);
}

const NOWHERE = {
  title: "Not found",
  view: () => [
    h("h1", { tabindex: "-1" }, "There is no such page"),
    h("p", { class: "lead" }, "The address leads nowhere in this console. What you look for may have been deleted or renamed."),
    h("p", null, h("a", { class: "button", href: "/console/", "data-route": true }, "To the overview")),
  ],
};
