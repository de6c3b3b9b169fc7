/** <account-usage>: what one uses of one's quotas. */

import { get } from "../api.js";
import { usageRows } from "../forms/quotas.js";
import { build, write } from "./build.js";

const TITLES = { running: "Searches and trainings open", gigabytes: "Files", worker_hours: "Work of workers" };

class AccountUsage extends HTMLElement {
  async connectedCallback() {
    const said = this.querySelector("[data-said]");
    try {
      const account = await get("/api/account");
      const isFree = Object.values(account.quotas).every((quota) => quota === null);
      write(said, isFree ? "Nothing is limited for you." : "An administrator can change what you may use.");
      this.querySelector("[data-usage]").replaceChildren(...usageRows(account).flatMap(usageNodes));
    } catch (error) {
      write(said, error.message);
    }
  }
}

function usageNodes({ name, words, share }) {
  const bar = share === null ? null : build("progress", { max: 1, value: share, "aria-label": `${TITLES[name]}: ${words}` });
  return [build("dt", {}, TITLES[name]), build("dd", {}, build("span", { class: "number" }, words), bar)];
}

customElements.define("account-usage", AccountUsage);
