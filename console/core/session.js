// Who is signed in, in memory only. The proof itself is a cookie that this page can't read.

let current = null;
/** How long a session lasts where nothing is asked, and when something was asked last. In milliseconds. */
let span = Infinity;
let asked = 0;
const ended = new Set();

/** The session, or null. */
export function session() {
  return current;
}

export function begin(value) {
  current = value;
  asked = Date.now();
  span = value?.idle ? Date.parse(value.idle) - asked : Infinity;
}

/** How many milliseconds the session still has. */
export function left() {
  const end = current?.expires ? Date.parse(current.expires) : Infinity;
  return Math.min(end, asked + span) - Date.now();
}

/** Calls this when the session is over. */
export function whenOver(listener) {
  ended.add(listener);
}

/** What the API needs of the session, apart so that the two files don't need one another. */
export const later = {
  csrf: () => current?.csrf ?? null,
  asked: () => (asked = Date.now()),
  over() {
    if (!current) return;
    current = null;
    for (const listener of ended) listener();
  },
};
