// Who is signed in. The proof is a cookie that this page can't read, and the word of the page beside it. The word is given once, by the
// answer that begins the session, and stays in this browser's storage for this scheme, host and port, so that other tabs have it too.

const WORD = "doorward_word";
/** Where a browser keeps nothing, the word lives as long as the page. */
let fallback = null;

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
  if (!value) keep(null);
  else if (value.csrf) keep(value.csrf);
  current = value;
  asked = Date.now();
  span = value?.idle ? Date.parse(value.idle) - asked : Infinity;
}

/** How many milliseconds the session still has. */
export function left() {
  const end = current?.expires ? Date.parse(current.expires) : Infinity;
  return Math.min(end, asked + span) - Date.now();
}

/** The word of the page, or null. */
export function word() {
  try {
    return localStorage.getItem(WORD) ?? fallback;
  } catch {
    return fallback;
  }
}

function keep(value) {
  fallback = value;
  try {
    if (value) localStorage.setItem(WORD, value);
    else localStorage.removeItem(WORD);
  } catch {
    // Storage is switched off: a reload asks for a sign-in.
  }
}

/** Calls this when the session is over. */
export function whenOver(listener) {
  ended.add(listener);
}

/** What the API needs of the session, apart so that the two files don't need one another. */
export const later = {
  word,
  asked: () => (asked = Date.now()),
  over() {
    if (!current) return;
    begin(null);
    for (const listener of ended) listener();
  },
};
