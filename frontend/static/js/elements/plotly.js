/** Plotly, fetched when the first chart is to be drawn, so that the rest of the page need not wait for five megabytes. */

import { build } from "./build.js";

let fetched = null;

/** Resolves to the library; rejects where it does not come, and the next call tries again. */
export function plotly() {
  fetched ??= new Promise((done, failed) => {
    const script = build("script", { src: document.querySelector('meta[name="plotly-source"]').content });
    script.addEventListener("load", () => done(window.Plotly));
    script.addEventListener("error", () => {
      fetched = null;
      script.remove();
      failed(new Error("The charts could not be loaded. Reload the page."));
    });
    document.head.append(script);
  });
  return fetched;
}
