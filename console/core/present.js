// Whether somebody is there. What asks by itself asks only then, so that a session that was left alone ends.

let touched = Date.now();
for (const event of ["pointerdown", "keydown", "wheel"]) {
  document.addEventListener(event, () => (touched = Date.now()), { passive: true, capture: true });
}

/** Does something every so often while somebody looks at this page; gives what ends it. */
export function whilePresent(every, act) {
  const look = () => {
    if (!document.hidden && Date.now() - touched < PRESENT) act();
  };
  const timer = setInterval(look, every);
  return () => clearInterval(timer);
}

/** Whether the page may be drawn anew: nothing is open, nothing in it is being used. */
export function idle() {
  const used = document.activeElement?.closest("main :is(input, textarea, select, button, a)");
  return !used && !document.querySelector("dialog[open]");
}

const PRESENT = 5 * 60_000;
