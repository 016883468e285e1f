// Who is signed in, in memory only. The proof itself is a cookie that this page can't read.

let current = null;
const ended = new Set();

/** The session, or null. */
export function session() {
  return current;
}

export function begin(value) {
  current = value;
}

/** Calls this when the session is over. */
export function whenOver(listener) {
  ended.add(listener);
}

/** What the API needs of the session, apart so that the two files don't need one another. */
export const later = {
  csrf: () => current?.csrf ?? null,
  over() {
    if (!current) return;
    current = null;
    for (const listener of ended) listener();
  },
};
