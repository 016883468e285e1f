// The frame around all pages: navigation at the side (at the top, in a drawer, where there is little room), who is signed in.

import { h, link } from "../core/dom.js";
import { icon, mark } from "./icons.js";

/** `[address, title, drawing]`; a key of a tenant sees its tenant only, which is its first page. */
const OF_TENANT = [
  ["/", "Integrations", "tenants"],
  ["/settings", "Settings", "settings"],
];
const PLACES = [
  ["/", "Overview", "overview"],
  ["/tenants", "Tenants", "tenants"],
  ["/secrets", "Secrets", "secrets"],
  ["/catalogue", "Catalogue", "catalogue"],
  ["/capabilities", "Capabilities", "capabilities"],
  ["/policies", "Policies", "policies"],
  ["/approvals", "Approvals", "approvals"],
  ["/evidence", "Evidence", "evidence"],
  ["/webhooks", "Webhooks", "webhooks"],
  ["/settings", "Settings", "settings"],
];

/** Builds the frame for a session; gives the elements that change. */
export function frame(session, { signOut }) {
  const main = h("main", { id: "main", class: "main", tabindex: "-1" });
  const places = session.house ? PLACES : OF_TENANT;
  const navs = [navigation(places), navigation(places)];
  const drawer = h("dialog", { class: "drawer", "aria-label": "Navigation" }, side("div", session, navs[1], signOut));
  drawer.addEventListener("click", (event) => {
    if (event.target === drawer || event.target.closest("a")) drawer.close();
  });
  const menu = h("button", { type: "button", class: "bare", "aria-label": "Open the navigation", on: { click: () => drawer.showModal() } }, icon("menu"));
  const top = h("header", { class: "top" }, menu, brand());
  const element = h("div", { class: "frame" }, top, side("header", session, navs[0], signOut), main, drawer);
  return { element, main, mark: (address) => navs.forEach((nav) => current(nav, address)), tally: (number) => navs.forEach((nav) => waiting(nav, number)) };
}

function brand() {
  return link("/", { class: "brand" }, mark(), "Doorward");
}

function side(tag, session, nav, signOut) {
  const leave = h("button", { type: "button", class: "bare", "aria-label": "Sign out", title: "Sign out", on: { click: signOut } }, icon("leave"));
  const who = h(
    "div",
    { class: "who" },
    h("div", null, h("p", { title: session.principal }, session.principal), h("p", { class: "muted small" }, `${session.tenant} · ${session.roles.join(", ") || "no role"}`)),
    leave,
  );
  return h(tag, { class: "side" }, brand(), nav, who);
}

function navigation(places) {
  const one = ([address, title, drawing]) => link(address, { "data-place": address }, icon(drawing), title);
  return h("nav", { class: "nav", "aria-label": "Main" }, places.map(one));
}

function current(nav, address) {
  const ofTenant = !nav.querySelector('[data-place="/tenants"]');
  for (const anchor of nav.querySelectorAll("a")) {
    const place = anchor.dataset.place;
    const below = place === "/" && ofTenant ? "/tenants" : place;
    const also = place === "/approvals" ? "/plans/" : `${below}/`;
    const here = address === place || address === below || (below !== "/" && (address.startsWith(`${below}/`) || address.startsWith(also)));
    if (here) anchor.setAttribute("aria-current", "page");
    else anchor.removeAttribute("aria-current");
  }
}

function waiting(nav, number) {
  const anchor = nav.querySelector('[data-place="/approvals"]');
  if (!anchor) return;
  anchor.querySelector(".tally")?.remove();
  if (number > 0) anchor.append(h("span", { class: "tally" }, String(number), h("span", { class: "unseen" }, " waiting")));
}
