/**
 * Notices of this browser: which target it is, and one page of all that are open which asks for them. It also asks in
 * the background, since that is what notices are for; browsers slow that down to once a minute by themselves. Whoever
 * did not ask for notices costs nothing.
 */

import { post } from "../api.js";

const KEY = "cellwright-notices";
const ASK_MS = 20_000;

export function browserTarget() {
  return localStorage.getItem(KEY);
}

export function keepBrowser(id) {
  localStorage.setItem(KEY, id);
  watchNotices();
}

export function forgetBrowser() {
  localStorage.removeItem(KEY);
}

export function mayNotify() {
  return "Notification" in window && Notification.permission === "granted";
}

/** Of all pages of this browser one holds the lock, and asks; when it is closed another one does. */
export function watchNotices() {
  if (!browserTarget() || !mayNotify() || !navigator.locks) return;
  navigator.locks.request(KEY, { ifAvailable: false }, async () => {
    while (browserTarget()) {
      if (!await ask()) return;
      await pause();
    }
  });
}

let wake = () => {};

/** Ask now, where this is the page that asks: a person has just sent a test. */
export function askSoon() {
  wake();
}

function pause() {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ASK_MS);
    wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

/** Whether it makes sense to ask again. */
async function ask() {
  let answer;
  try {
    answer = await post(`/api/notices/targets/${browserTarget()}/take`);
  } catch (error) {
    if (error.status === 404) forgetBrowser(); // It was removed, or belongs to somebody who was signed in before.
    return error.status !== 404 && error.status !== 401;
  }
  answer.notices.forEach(show);
  return true;
}

/** tag: a browser shows one id once. */
function show({ id, title, text, path }) {
  const notice = new Notification(title, { body: text, tag: id });
  notice.addEventListener("click", () => {
    window.focus();
    window.location.assign(path);
  });
}

watchNotices();
