/** What this browser remembers. Where storage is forbidden the page works, and forgets. */

const PREFIX = "chat-api.";

/**
 * @param {string} name
 * @param {unknown} fallback when nothing, or nothing readable, is there
 */
export function recall(name, fallback, storage = () => localStorage) {
  try {
    return JSON.parse(storage().getItem(PREFIX + name)) ?? fallback;
  } catch {
    return fallback;
  }
}

/** Remember a value; null forgets it. */
export function remember(name, value, storage = () => localStorage) {
  try {
    if (value === null) storage().removeItem(PREFIX + name);
    else storage().setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Forbidden or full: nothing that the page shows depends on it.
  }
}

/** For what must not outlive the tab, nor be seen by others: the second argument of `recall`. */
export const thisTab = () => sessionStorage;
