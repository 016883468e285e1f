// The beginning: signs in by a link if there is one, else shows who is signed in or asks; then leads to the pages.

import { append, fill, h } from "./core/dom.js";
import { get, send } from "./core/api.js";
import { whilePresent } from "./core/present.js";
import { begin, left, session, whenOver, word } from "./core/session.js";
import * as router from "./core/router.js";
import { announce, hush, regions, tell } from "./parts/live.js";
import { closeAll } from "./parts/dialog.js";
import { frame } from "./parts/frame.js";
import { shortcuts } from "./parts/keys.js";
import { gate } from "./pages/signin.js";
import { ROUTES } from "./pages/routes.js";

const place = document.getElementById("app");
let shell = null;
let stopWatching = () => {};
let warned = false;

/** The words behind `#`, taken off the address before anything else: a code is good once, and not for the history. */
function fragment() {
  const words = new URLSearchParams(location.hash.slice(1));
  if (words.has("code") || words.has("error")) history.replaceState(history.state, "", location.pathname + location.search);
  return { code: words.get("code"), error: words.has("error") ? WHY[words.get("error")] ?? WHY.closed : null };
}

/** Why nobody was signed in at the identity provider. The address names one of these; a text in an address is not shown. */
const WHY = {
  late: "The sign-in took too long, or was used already. Begin it once more.",
  browser: "Another browser began this sign-in, or yours kept no cookie. Begin it once more, here.",
  answer: "What came back was not the answer of the identity provider. Begin the sign-in once more.",
  refused: "The identity provider did not let you in.",
  unreachable: "The identity provider can't be asked now. Try again in a moment; the log of `doorward serve` says why.",
  token: "What the identity provider says of you does not hold. The log of `doorward serve` says why.",
  claims: "The identity provider does not say who you are: `sub`, a verified `email` and `groups` are needed.",
  groups: "None of your groups has a role here. `[api.sign_in.roles]` in `settings.toml` gives groups roles.",
  busy: "Too many sign in at this moment. Try again in a minute.",
  closed: "No session can be begun now. `doorward status` says whether the broker is sealed.",
  nowhere: "There is no identity provider here.",
};

async function start() {
  append(document.body, regions());
  shortcuts();
  setInterval(warn, 20_000);
  whenOver(() => {
    closeAll();
    askAgain("Your session is over. Sign in again to go on where you were.");
  });
  // A page that a browser keeps for the way back must not hold what was typed into it.
  window.addEventListener("pagehide", () => {
    for (const field of document.querySelectorAll("[data-secret]")) field.value = "";
  });
  place.removeAttribute("aria-busy");
  // A link that is opened where the console is open already changes nothing but what stands behind `#`.
  window.addEventListener("hashchange", arrive);
  const { code, error } = fragment();
  try {
    if (code) enter(await send("POST", "session", { code }));
    // Without the word of the page a cookie is no session, so there is nothing to ask for.
    else if (word()) enter(await get("session"));
    else ask(error);
  } catch (problem) {
    ask(code ? linkProblem(problem) : error ?? (problem.status === 401 ? null : problem.message));
  }
}

/** Signs in by a link that came while the console was open. Whoever is signed in stays so where it does not work. */
async function arrive() {
  const { code } = fragment();
  if (!code || (session() && !(await router.mayLeave()))) return;
  try {
    const found = await send("POST", "session", { code });
    router.leave();
    closeAll();
    enter(found);
  } catch (problem) {
    if (session()) tell(linkProblem(problem), "bad");
    else ask(linkProblem(problem));
  }
}

function linkProblem(problem) {
  return problem.status === 401 ? "This link was used already, or its two minutes are over. Sign in once more, or let `doorward console` make another one." : problem.message;
}

/** Shows the pages to whoever is signed in now. */
function enter(found) {
  begin(found);
  shell = frame(found, { signOut });
  fill(place, shell.element);
  router.configure(ROUTES, shell.main, shell.mark);
  router.again();
  watch();
}

function askAgain(text) {
  router.leave();
  ask(text);
}

function ask(text) {
  hush();
  shell = null;
  fill(place, gate({ text, enter }));
  document.title = "Sign in · Doorward";
  announce("Sign in");
}

async function signOut() {
  try {
    await send("DELETE", "session");
  } catch (problem) {
    if (problem.status !== 401) {
      tell(problem.message, "bad");
      return;
    }
  }
  begin(null);
  // A new page: nothing of this session stays in memory.
  location.replace("/console/");
}

/** How many approvals and plans wait, told at the side. */
function watch() {
  const look = async () => {
    if (!session()?.house) return;
    const status = await get("status").catch(() => null);
    shell?.tally((status?.waiting?.approvals ?? 0) + (status?.waiting?.plans ?? 0));
  };
  look();
  stopWatching();
  stopWatching = whilePresent(EVERY, look);
}

/** Says two minutes before the end of a session that it ends, once, and lets whoever is there go on. */
function warn() {
  const rest = left();
  if (!session() || rest > 120_000 || rest < 0) {
    warned &&= rest < 120_000;
    return;
  }
  if (warned) return;
  warned = true;
  tell("Your session ends in less than two minutes.", "bad", ["Stay signed in", () => get("session").catch((problem) => tell(problem.message, "bad"))]);
}

/** Each look is a call with a record of its own, so not more often than somebody would notice. */
const EVERY = 60_000;

start().catch((problem) => fill(place, h("p", { class: "panel" }, `The console could not start: ${problem.message}`)));
