/** <invitation-list>: invitations that are open; makes one, shows its link once, revokes. For administrators. */

import { post } from "../api.js";
import { dated } from "../drawing/replay_words.js";
import { quotaWords, withoutEmpty } from "../forms/quotas.js";
import { build } from "./build.js";
import { SecretList } from "./secret-list.js";

class InvitationList extends SecretList {
  static path = "/api/people/invitations";
  static rows = "invitations";
  static nobody = "No invitation is open.";

  async made(values) {
    const { path } = await post(InvitationList.path, withoutEmpty(values));
    return [`${location.origin}${path}`];
  }

  told({ note, invited_by: by, is_admin: isAdmin, quotas, created, expires }) {
    const what = note || "Somebody";
    const nodes = [build("div", {}, build("b", { class: "person-name" }, what), isAdmin ? build("span", { class: "scope small" }, "administrator") : null,
      build("span", { class: "small quiet person-seen" }, `${quotaWords(quotas)}; by ${by}, ${dated(created)}; expires ${dated(expires)}`))];
    return { nodes, revoke: `Revoke the invitation for ${what}` };
  }
}

customElements.define("invitation-list", InvitationList);
