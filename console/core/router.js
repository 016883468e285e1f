// Leads from an address to a page: shows its frame at once, loads, then shows it whole or says what went wrong.
//
// A page is `{title, search?, skeleton?, load(context), view(data, context)}`. What belongs to a page ends with it: its
// requests through `context.signal`, its timers and listeners through `context.ends(f)`. Where a page has a text that was typed and not
// kept, `context.unsaved(f)` says what it is, and nobody leaves the page without a question.

import { fill, h } from "./dom.js";
import { confirm } from "../parts/dialog.js";
import { failed, skeletons } from "../parts/states.js";
import { announce } from "../parts/live.js";

let routes = [];
let place = null;
let running = null;
let arrived = () => {};
/** Which entry of the history is in view, counted from the first one of this console. */
let number = history.state?.number ?? 0;
/** By how many entries somebody wants to move, while the browser comes back from there. */
let wanted = null;

/** Sets the routes: `[pattern, page]`, a pattern such as `/tenants/:tenant`. */
export function configure(list, main, whenArrived) {
  routes = list.map(([pattern, page]) => [compile(pattern), page]);
  // Once: whoever signs in again is in the same page.
  if (!place) {
    history.replaceState({ number }, "");
    window.addEventListener("popstate", (event) => place.isConnected && moved(event.state));
    window.addEventListener("beforeunload", (event) => lost() && event.preventDefault());
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
export async function go(address, { replace = false } = {}) {
  if (!(await mayLeave())) return;
  if (!replace) number += 1;
  history[replace ? "replaceState" : "pushState"]({ number }, "", `/console${address}`);
  await show(true);
}

/** What would be lost if the page in view were left. */
function lost() {
  return running?.unkept.map((what) => what()).find(Boolean);
}

/** Whether the page in view may be left; asks where something would be lost. */
export async function mayLeave() {
  const text = lost();
  if (!text) return true;
  const consequences = [`${text} was changed here and not written. What you typed is not kept.`];
  const left = await confirm({ title: "Leave without writing", consequences, verb: "Leave the page", act: () => true });
  if (left) running?.unkept.splice(0);
  return Boolean(left);
}

/** After the browser moved in its history. It has moved already, so it is sent back before anybody is asked. */
async function moved(state) {
  // A link to sign in by, which is looked at elsewhere.
  if (location.hash) return;
  if (wanted !== null) {
    const by = wanted;
    wanted = null;
    if (await mayLeave()) history.go(by);
    return;
  }
  const by = (state?.number ?? number) - number;
  if (by !== 0 && lost()) {
    wanted = by;
    history.go(-by);
    return;
  }
  number += by;
  await show(false);
}

/** Writes the words of a search into the address, without another entry in the history. */
export function note(words) {
  const query = new URLSearchParams(Object.entries(words).filter(([, value]) => value)).toString();
  history.replaceState({ number }, "", `${location.pathname}${query ? `?${query}` : ""}`);
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
  const unkept = [];
  return {
    params,
    query: Object.fromEntries(new URLSearchParams(location.search)),
    signal: control.signal,
    ends: (ending) => endings.push(ending),
    unkept,
    unsaved: (what) => unkept.push(what),
    stop() {
      control.abort();
      endings.forEach((ending) => ending());
    },
  };
}

async function show(asked) {
  leave();
  const [page, params] = found(here()) ?? [NOWHERE, {}];
  const ctx = context(params);
  running = ctx;
  const title = typeof page.title === "function" ? page.title(params) : page.title;
  document.title = `${title} · Doorward`;
  arrived(here());
  // What is quick is shown at once; a frame of what comes only where it takes a moment.
  const frame = () => running === ctx && fill(place, page.skeleton?.() ?? skeletons(title));
  const soon = setTimeout(frame, asked ? 60 : 180);
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
  if (asked) settle(title);
}

/** After a page was gone to: to its top, and a reader of the screen to its heading. */
function settle(title) {
  window.scrollTo(0, 0);
  const first = place.querySelector("[data-first]") ?? place.querySelector("h1");
  first?.focus({ preventScroll: true });
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
